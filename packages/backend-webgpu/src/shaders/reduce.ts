/**
 * `total` and `most` of what every thread of a group of `threads`, a power of two, gives. All
 * threads must come by.
 */
export function reduceFunctions(threads: number): string {
  const reduction = (name: string, type: string, memory: string, join: string) => `
fn ${name}(thread: u32, value: ${type}) -> ${type} {
  ${memory}[thread] = value;
  workgroupBarrier();
  for (var half = ${threads / 2}u; half > 0u; half >>= 1u) {
    if (thread < half) {
      let other = ${memory}[thread + half];
      ${memory}[thread] = ${join.replaceAll("own", `${memory}[thread]`)};
    }
    workgroupBarrier();
  }
  let result = ${memory}[0];
  workgroupBarrier();
  return result;
}`;
  return [
    `var<workgroup> reduced: array<vec2<f32>, ${threads}>;`,
    reduction("totals", "vec2<f32>", "reduced", "own + other"),
    `fn total(thread: u32, value: f32) -> f32 { return totals(thread, vec2<f32>(value, 0.0)).x; }`,
    reduction("mosts", "vec2<f32>", "reduced", "max(own, other)"),
    `fn most(thread: u32, value: f32) -> f32 { return mosts(thread, vec2<f32>(value, value)).x; }`,
  ].join("\n");
}
