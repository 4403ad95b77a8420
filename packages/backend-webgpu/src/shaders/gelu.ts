/** `normalCdf`, `gelu` and `geluSlope`: the exact GELU, its error function good to 1.5e-7. */
export const geluFunctions = `
fn normalCdf(x: f32) -> f32 {
  // Abramowitz and Stegun, 7.1.26.
  let z = abs(x) * 0.7071067811865476;
  let t = 1.0 / (1.0 + 0.3275911 * z);
  let series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  let tail = 0.5 * series * exp(-min(z * z, 80.0));
  return select(tail, 1.0 - tail, x >= 0.0);
}
fn gelu(x: f32) -> f32 {
  return x * normalCdf(x);
}
fn geluSlope(x: f32) -> f32 {
  return normalCdf(x) + x * exp(-min(0.5 * x * x, 80.0)) * 0.3989422804014327;
}`;
