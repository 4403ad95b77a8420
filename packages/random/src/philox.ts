/** Four unsigned 32-bit words. */
export type Words4 = readonly [number, number, number, number];

/**
 * Philox 4x32 with 10 rounds: 128 random bits as a pure function of a counter and a key
 * (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
 */
export function philox4x32(
  counter: Words4,
  key: readonly [number, number],
): [number, number, number, number] {
  const block = new Uint32Array(4);
  writeBlock(block, ...counter, ...key);
  return [...block] as [number, number, number, number];
}

/** The same without allocation: the block goes to `out`, words may be signed or unsigned. */
export function writeBlock(
  out: Uint32Array,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
): void {
  for (let round = 0; round < 10; round++) {
    // Two products of 64 bits, 0xd2511f53 * c0 and 0xcd9e8d57 * c2. JavaScript has their low words
    // as Math.imul; the high words are put together from halves of 16 bits, whose products and
    // carries fit into 32. Written out, since a call that returns two words would allocate.
    const low0 = Math.imul(c0, 0xd2511f53);
    let lower = c0 & 0xffff;
    let upper = c0 >>> 16;
    let middle = Math.imul(upper, 0x1f53) + (Math.imul(lower, 0x1f53) >>> 16);
    let carry = (Math.imul(lower, 0xd251) + (middle & 0xffff)) >>> 16;
    const high0 = Math.imul(upper, 0xd251) + (middle >>> 16) + carry;

    const low1 = Math.imul(c2, 0xcd9e8d57);
    lower = c2 & 0xffff;
    upper = c2 >>> 16;
    middle = Math.imul(upper, 0x8d57) + (Math.imul(lower, 0x8d57) >>> 16);
    carry = (Math.imul(lower, 0xcd9e) + (middle & 0xffff)) >>> 16;
    const high1 = Math.imul(upper, 0xcd9e) + (middle >>> 16) + carry;

    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}
