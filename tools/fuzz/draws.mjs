/** Random numbers that are the same for the same seed and run, in any order of runs. */
export function draws(seed, run) {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(run + 1, 0xc2b2ae35);
  function next() {
    state = (state + 0x6d2b79f5) | 0; // mulberry32
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  const integer = (below) => Math.floor(next() * below);
  return {
    /** An integer from 0 to `below - 1`. */
    integer,
    chance: (probability) => next() < probability,
    pick: (list) => list[integer(list.length)],
  };
}
