/** Numbers at the edges of what readers can hold, as bytes. */
const edges = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  2n ** 40n,
  2n ** 53n,
  2n ** 62n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** One change each. The first few keep the length, so that what points into the file still does. */
const changes = [
  function flipBit(bytes, draw) {
    bytes[draw.integer(bytes.length)] ^= 1 << draw.integer(8);
    return bytes;
  },
  function setByte(bytes, draw) {
    bytes[draw.integer(bytes.length)] = draw.integer(256);
    return bytes;
  },
  function setInteger(bytes, draw) {
    const value = integer(draw);
    bytes.set(value.subarray(0, bytes.length), draw.integer(Math.max(1, bytes.length - 8)));
    return bytes;
  },
  function setToken(bytes, draw, { tokens }) {
    const token = toBytes(draw.pick(tokens)).subarray(0, bytes.length);
    bytes.set(token, draw.integer(bytes.length - token.length + 1));
    return bytes;
  },
  function setOperand(bytes, draw) {
    const at = findInteger(bytes, draw);
    if (at >= 0) bytes[at + 1] = draw.pick([0, 1, 2, 3, 4, 7, 127, 255, draw.integer(256)]);
    return bytes;
  },
  function copyOver(bytes, draw) {
    const [from, to] = [draw.integer(bytes.length), draw.integer(bytes.length)];
    bytes.copyWithin(to, from, from + 1 + draw.integer(64));
    return bytes;
  },
  function insertToken(bytes, draw, { tokens }) {
    return spliced(bytes, draw.integer(bytes.length + 1), 0, toBytes(draw.pick(tokens)));
  },
  function insertInteger(bytes, draw) {
    return spliced(bytes, draw.integer(bytes.length + 1), 0, integer(draw));
  },
  function widenOperand(bytes, draw) {
    const at = findInteger(bytes, draw);
    if (at < 0) return bytes;
    const value = new Uint8Array(10);
    new DataView(value.buffer).setBigInt64(2, draw.pick(edges), true);
    value.set([0x8a, 8]); // LONG1
    return spliced(bytes, at, 1 + integerOpcodes.get(bytes[at]), value);
  },
  function remove(bytes, draw) {
    return spliced(bytes, draw.integer(bytes.length), 1 + draw.integer(32), new Uint8Array(0));
  },
  function cut(bytes, draw) {
    return bytes.slice(0, draw.integer(bytes.length + 1));
  },
  function repeat(bytes, draw) {
    const start = draw.integer(bytes.length);
    const part = bytes.slice(start, start + 1 + draw.integer(48));
    const copies = new Uint8Array(part.length * (1 + draw.integer(64)));
    for (let at = 0; at < copies.length; at += part.length) copies.set(part, at);
    return spliced(bytes, start, 0, copies);
  },
  function cross(bytes, draw, { seeds }) {
    const other = draw.pick(seeds);
    const end = other.slice(draw.integer(other.length));
    return spliced(bytes, draw.integer(bytes.length), bytes.length, end);
  },
];
const lengthKeeping = 6;

/** The opcodes of a pickle that are followed by an integer, and how many bytes it has. */
const integerOpcodes = new Map([
  [0x4b, 1],
  [0x4d, 2],
  [0x4a, 4],
]);

/** A seed with a change, or half the time with up to four. The same draws give the same bytes. */
export function mutate(kind, draw) {
  let bytes = draw.pick(kind.seeds).slice();
  const list = draw.chance(0.7) ? changes.slice(0, lengthKeeping) : changes;
  for (
    let count = draw.chance(0.5) ? 1 : 1 + draw.integer(4);
    count > 0 && bytes.length > 0;
    count--
  ) {
    bytes = draw.pick(list)(bytes, draw, kind);
  }
  return bytes;
}

function integer(draw) {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  const value = draw.pick(edges) + BigInt(draw.integer(3) - 1);
  view.setBigUint64(0, BigInt.asUintN(64, value), draw.chance(0.8));
  return bytes.slice(0, draw.pick([1, 2, 4, 8]));
}

/** Where, from somewhere on, an opcode with an integer stands, or what looks like one. */
function findInteger(bytes, draw) {
  const start = draw.integer(bytes.length);
  return bytes.findIndex((byte, at) => at >= start && integerOpcodes.has(byte));
}

function spliced(bytes, at, removed, inserted) {
  const rest = bytes.subarray(Math.min(at + removed, bytes.length));
  const result = new Uint8Array(at + inserted.length + rest.length);
  result.set(bytes.subarray(0, at));
  result.set(inserted, at);
  result.set(rest, at + inserted.length);
  return result;
}

/** Text with one character a byte. */
function toBytes(text) {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
