import { CheckpointError } from "../checkpoint-error.ts";
import { latin1 } from "./pickle-cursor.ts";
import { kindOf, type PickleMachine } from "./pickle-machine.ts";

/** Python's `long` of more bytes than this is no number that a checkpoint has. */
const longestInteger = 1024;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

type Operation = (machine: PickleMachine) => void;

/**
 * What each opcode of protocols 2 to 5 does (`pickletools` of CPython describes them), but for
 * STOP, which the reader looks for, the extension registry, and buffers out of band. Of protocols 0
 * and 1 there is what Python 2 still wrote into files of protocol 2.
 */
export const operations: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  // numbers and constants
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x4b, (m) => m.push(m.cursor.byte())], // BININT1
  [0x4d, (m) => m.push(m.cursor.uint16())], // BININT2
  [0x4a, (m) => m.push(m.cursor.int32())], // BININT
  [0x47, (m) => m.push(m.cursor.float64())], // BINFLOAT
  [0x8a, (m) => m.push(long(m, m.cursor.byte()))], // LONG1
  [0x8b, (m) => m.push(long(m, m.cursor.uint32()))], // LONG4
  [0x49, (m) => m.push(textInteger(m, m.cursor.line()))], // INT

  // text and bytes
  [0x58, (m) => m.push(utf8(m, m.cursor.uint32()))], // BINUNICODE
  [0x8c, (m) => m.push(utf8(m, m.cursor.byte()))], // SHORT_BINUNICODE
  [0x8d, (m) => m.push(utf8(m, m.cursor.uint64()))], // BINUNICODE8
  [0x54, (m) => m.push(latin1(m.cursor.bytes(m.cursor.uint32())))], // BINSTRING
  [0x55, (m) => m.push(latin1(m.cursor.bytes(m.cursor.byte())))], // SHORT_BINSTRING
  [0x42, (m) => m.pushContainer(m.cursor.bytes(m.cursor.uint32()))], // BINBYTES
  [0x43, (m) => m.pushContainer(m.cursor.bytes(m.cursor.byte()))], // SHORT_BINBYTES
  [0x8e, (m) => m.pushContainer(m.cursor.bytes(m.cursor.uint64()))], // BINBYTES8
  [0x96, (m) => m.pushContainer(m.cursor.bytes(m.cursor.uint64()))], // BYTEARRAY8

  // lists and tuples
  [0x5d, (m) => m.pushContainer([])], // EMPTY_LIST
  [0x6c, (m) => m.pushContainer(m.popMark())], // LIST
  [0x61, (m) => append(m, [m.pop()])], // APPEND
  [0x65, (m) => append(m, m.popMark())], // APPENDS
  [0x29, (m) => m.pushContainer(Object.freeze([]))], // EMPTY_TUPLE
  [0x85, (m) => m.pushContainer(tuple(m, 1))], // TUPLE1
  [0x86, (m) => m.pushContainer(tuple(m, 2))], // TUPLE2
  [0x87, (m) => m.pushContainer(tuple(m, 3))], // TUPLE3
  [0x74, (m) => m.pushContainer(Object.freeze(m.popMark()))], // TUPLE

  // dicts and sets
  [0x7d, (m) => m.pushContainer(new Map())], // EMPTY_DICT
  [0x64, (m) => m.pushContainer(setItems(m, new Map(), m.popMark()))], // DICT
  [0x73, (m) => setItem(m)], // SETITEM
  [0x75, (m) => setItemsOfTop(m)], // SETITEMS
  [0x8f, (m) => m.pushContainer(new Set())], // EMPTY_SET
  [0x90, (m) => addItems(m)], // ADDITEMS
  [0x91, (m) => m.pushContainer(new Set(m.popMark()))], // FROZENSET

  // the stack and the memo
  [0x28, (m) => m.mark()], // MARK
  [0x30, (m) => void m.pop()], // POP
  [0x31, (m) => void m.popMark()], // POP_MARK
  [0x32, (m) => m.push(m.top())], // DUP
  [0x71, (m) => m.remember(m.cursor.byte())], // BINPUT
  [0x72, (m) => m.remember(m.cursor.uint32())], // LONG_BINPUT
  [0x94, (m) => m.rememberNext()], // MEMOIZE
  [0x68, (m) => m.recall(m.cursor.byte())], // BINGET
  [0x6a, (m) => m.recall(m.cursor.uint32())], // LONG_BINGET

  // globals and what is made of them
  [0x63, (m) => m.pushGlobal(m.cursor.line(), m.cursor.line())], // GLOBAL
  [0x93, (m) => stackGlobal(m)], // STACK_GLOBAL
  [0x52, (m) => call(m)], // REDUCE
  [0x81, (m) => call(m)], // NEWOBJ
  [0x92, (m) => callWithNames(m)], // NEWOBJ_EX
  [0x62, (m) => m.build(m.pop())], // BUILD
  [0x51, (m) => m.persistent(m.pop())], // BINPERSID

  // around it
  [0x80, (m) => void assertProtocol(m, m.cursor.byte())], // PROTO
  [0x95, (m) => void m.cursor.uint64()], // FRAME: how much follows, of no use here
]);

export function assertProtocol({ fail }: PickleMachine, protocol: number): void {
  if (protocol < 2 || protocol > 5) throw fail("a pickle of protocol 2 to 5", `${protocol}`);
}

/** Two's complement, least significant byte first; a bigint beyond exact integers. */
function long({ cursor, fail }: PickleMachine, length: number): number | bigint {
  if (length > longestInteger) {
    throw fail(`an integer of at most ${longestInteger} bytes`, `${length}`);
  }
  const bytes = cursor.bytes(length);
  if (length === 0) return 0;
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  const value = BigInt.asIntN(8 * length, BigInt(`0x${digits.reverse().join("")}`));
  return exact(value);
}

/** Python 2 wrote booleans and 64-bit integers as lines of text. */
function textInteger({ fail }: PickleMachine, line: string): number | bigint | boolean {
  if (line === "00" || line === "01") return line === "01";
  if (!/^-?\d{1,20}$/.test(line)) throw fail("an integer", JSON.stringify(line.slice(0, 40)));
  return exact(BigInt(line));
}

function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function utf8({ cursor }: PickleMachine, length: number): string {
  const bytes = cursor.bytes(length);
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new CheckpointError(
      `${cursor.name}: expected text in UTF-8 in the pickle at ${cursor.position()}, got other bytes`,
      { cause },
    );
  }
}

function tuple(machine: PickleMachine, length: number): readonly unknown[] {
  const items = Array.from({ length }, () => machine.pop());
  return Object.freeze(items.reverse());
}

function append(machine: PickleMachine, items: readonly unknown[]): void {
  const list = machine.top();
  if (!Array.isArray(list) || Object.isFrozen(list)) {
    throw machine.fail("a list to append to", kindOf(list));
  }
  for (const item of items) list.push(item);
}

function setItem(machine: PickleMachine): void {
  const value = machine.pop();
  const key = machine.pop();
  setItems(machine, machine.top(), [key, value]);
}

function setItemsOfTop(machine: PickleMachine): void {
  const items = machine.popMark();
  setItems(machine, machine.top(), items);
}

function setItems(machine: PickleMachine, dict: unknown, items: readonly unknown[]): object {
  if (!(dict instanceof Map)) throw machine.fail("a dict to set items of", kindOf(dict));
  if (items.length % 2 !== 0) throw machine.fail("keys and values", "a key without a value");
  for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
  return dict;
}

function addItems(machine: PickleMachine): void {
  const items = machine.popMark();
  const set = machine.top();
  if (!(set instanceof Set)) throw machine.fail("a set to add to", kindOf(set));
  for (const item of items) set.add(item);
}

function stackGlobal(machine: PickleMachine): void {
  const name = machine.pop();
  const module = machine.pop();
  if (typeof module !== "string" || typeof name !== "string") {
    throw machine.fail("a global's name", `${kindOf(module)} and ${kindOf(name)}`);
  }
  machine.pushGlobal(module, name);
}

function call(machine: PickleMachine): void {
  const args = machine.pop();
  machine.call(machine.pop(), args);
}

function callWithNames(machine: PickleMachine): void {
  const names = machine.pop();
  if (!(names instanceof Map) || names.size > 0) {
    throw machine.fail("a call without named arguments", kindOf(names));
  }
  call(machine);
}
