import type { Program } from "../program.ts";

/** A crop's record, as `@dino/augmentations` packs it: so many words, in this order. */
const recordWords = 17;
const fields = [
  "start",
  "columns",
  "across",
  "acrossTaps",
  "down",
  "downTaps",
  "flip",
  "order",
  "brightness",
  "contrast",
  "saturation",
  "shift",
  "grey",
  "radius",
  "inner",
  "outer",
  "solarize",
];

/** The word of a crop's record, unsigned. */
function field(name: string): string {
  return `records[${recordWords}u * crop + ${fields.indexOf(name)}u]`;
}

const pack = `
fn pack(c: vec3<i32>) -> u32 { return u32(c.x) | (u32(c.y) << 8u) | (u32(c.z) << 16u); }
fn unpack(word: u32) -> vec3<i32> {
  return vec3<i32>(i32(word & 255u), i32((word >> 8u) & 255u), i32((word >> 16u) & 255u));
}`;

/**
 * The crops' pixels, three bytes to a word: boxes of the pictures resized by Pillow's whole-number
 * weights, rows first and rounded between, and mirrored. A thread a pixel.
 */
export const resizeProgram: Program = {
  name: "views resize",
  reads: ["pictures", "axes", "records"],
  words: ["pictures", "axes", "records", "pixels"],
  writes: ["pixels"],
  scalars: { size: "u32", count: "u32" },
  workgroupSize: [64, 1],
  declarations: `${pack}
fn byteOf(i: u32) -> i32 { return i32((pictures[i / 4u] >> (8u * (i % 4u))) & 255u); }
fn rounded(sum: vec3<i32>) -> vec3<i32> {
  return clamp((sum + vec3<i32>(1 << 21u)) >> vec3<u32>(22u), vec3<i32>(0), vec3<i32>(255));
}`,
  body: `
  let at = group * 64u + thread;
  if (at >= u.count) { return; }
  let x = at % u.size;
  let y = (at / u.size) % u.size;
  let crop = at / (u.size * u.size);
  let column = select(x, u.size - 1u - x, ${field("flip")} == 1u);
  let across = ${field("across")} + (${field("acrossTaps")} + 2u) * column;
  let down = ${field("down")} + (${field("downTaps")} + 2u) * y;
  let stride = 3u * ${field("columns")};
  var sum = vec3<i32>(0);
  for (var row = 0u; row < axes[down + 1u]; row++) {
    var source = ${field("start")} + (axes[down] + row) * stride + 3u * axes[across];
    var line = vec3<i32>(0);
    for (var tap = 0u; tap < axes[across + 1u]; tap++) {
      let weight = i32(axes[across + 2u + tap]);
      line += weight * vec3<i32>(byteOf(source), byteOf(source + 1u), byteOf(source + 2u));
      source += 3u;
    }
    sum += i32(axes[down + 2u + row]) * rounded(line);
  }
  pixels[at] = pack(rounded(sum));`,
};

/**
 * Colours changed in the drawn order, and lost, in place: a group of threads a crop, since contrast
 * needs the crop's mean grey. Pillow's arithmetic: float32 rounded after each product, which \`u.zero\`
 * keeps from being fused with the sum behind it, and whole numbers elsewhere.
 */
export const toneProgram: Program = {
  name: "views tone",
  reads: ["records", "tables"],
  words: ["records", "tables", "pixels"],
  writes: ["pixels"],
  scalars: { size: "u32", count: "u32", zero: "u32" },
  workgroupSize: [256, 1],
  declarations: `${pack}
var<workgroup> sums: array<u32, 256>;
fn luma(c: vec3<i32>) -> i32 { return (19595 * c.x + 38470 * c.y + 7471 * c.z + 32768) >> 16u; }
fn product(factor: f32, difference: i32) -> f32 {
  return bitcast<f32>(bitcast<u32>(factor * f32(difference)) ^ u.zero);
}
fn blended(c: vec3<i32>, level: i32, factor: f32) -> vec3<i32> {
  let base = f32(level);
  let mixed = vec3<f32>(
    base + product(factor, c.x - level),
    base + product(factor, c.y - level),
    base + product(factor, c.z - level));
  return clamp(vec3<i32>(mixed), vec3<i32>(0), vec3<i32>(255));
}
fn tableByte(i: u32) -> i32 { return i32((tables[i / 4u] >> (8u * (i % 4u))) & 255u); }
fn turned(c: vec3<i32>, shift: i32) -> vec3<i32> {
  var most = c.x;
  var one = c.y;
  var other = c.z;
  var sextant = 0;
  if (c.y > c.x || c.z > c.x) {
    other = c.x;
    if (c.y >= c.z) { most = c.y; one = c.z; sextant = 2; } else { most = c.z; sextant = 4; }
  }
  if (one < other) { sextant++; }
  let range = most - min(one, other);
  if (range == 0) { return c; }
  let hue = (tableByte(u32((sextant << 16u) | (range << 8u) | (most - max(one, other)))) + shift) & 255;
  let saturation = tableByte(u32((6 << 16u) + ((most << 8u) | range)));
  // The way back is of fractions over 255 and 255 * 85, which whole numbers hold.
  let sector = ((2 * hue) / 85) % 6;
  let place = (2 * hue) % 85;
  let p = (2 * most * (255 - saturation) + 255) / 510;
  let q = (2 * most * (21675 - saturation * place) + 21675) / 43350;
  let t = (2 * most * (21675 - saturation * (85 - place)) + 21675) / 43350;
  switch (sector) {
    case 0: { return vec3<i32>(most, t, p); }
    case 1: { return vec3<i32>(q, most, p); }
    case 2: { return vec3<i32>(p, most, t); }
    case 3: { return vec3<i32>(p, q, most); }
    case 4: { return vec3<i32>(t, p, most); }
    default: { return vec3<i32>(most, p, q); }
  }
}`,
  body: `
  let crop = group;
  if (crop >= u.count) { return; }
  let order = ${field("order")};
  let grey = ${field("grey")} == 1u;
  if (order == 0u && !grey) { return; }
  let length = u.size * u.size;
  for (var step = 0u; step < 4u; step++) {
    let kind = (order >> (3u * step)) & 7u;
    var level = 0;
    if (kind == 2u) {
      var sum = 0u;
      for (var i = thread; i < length; i += 256u) { sum += u32(luma(unpack(pixels[crop * length + i]))); }
      sums[thread] = sum;
      workgroupBarrier();
      if (thread == 0u) {
        for (var i = 1u; i < 256u; i++) { sum += sums[i]; }
        sums[0] = sum;
      }
      workgroupBarrier();
      level = i32((2u * sums[0] + length) / (2u * length));
      workgroupBarrier();
    }
    if (kind == 0u) { continue; }
    for (var i = thread; i < length; i += 256u) {
      let at = crop * length + i;
      let c = unpack(pixels[at]);
      var made = c;
      if (kind == 1u) { made = blended(c, 0, bitcast<f32>(${field("brightness")})); }
      if (kind == 2u) { made = blended(c, level, bitcast<f32>(${field("contrast")})); }
      if (kind == 3u) { made = blended(c, luma(c), bitcast<f32>(${field("saturation")})); }
      if (kind == 4u) { made = turned(c, i32(${field("shift")})); }
      pixels[at] = pack(made);
    }
  }
  if (grey) {
    for (var i = thread; i < length; i += 256u) {
      let at = crop * length + i;
      pixels[at] = pack(vec3<i32>(luma(unpack(pixels[at]))));
    }
  }`,
};

/** Three soft boxes along the rows, or the columns, of the crops that are blurred, in place: a group of threads a line. */
export function blurProgram(size: number, along: "rows" | "columns"): Program {
  const at = along === "rows" ? `line * ${size}u + i` : `i * ${size}u + line`;
  return {
    name: `views blur ${along} ${size}`,
    reads: ["records"],
    words: ["records", "pixels"],
    writes: ["pixels"],
    scalars: { count: "u32" },
    workgroupSize: [64, 1],
    declarations: `${pack}
var<workgroup> lines: array<u32, ${2 * size}>;
fn pixelOf(start: u32, i: i32) -> vec3<u32> {
  return vec3<u32>(unpack(lines[start + u32(clamp(i, 0, ${size - 1}))]));
}`,
    body: `
  let crop = group / ${size}u;
  let line = group % ${size}u;
  if (crop >= u.count) { return; }
  let radius = i32(${field("radius")});
  if (radius < 0) { return; }
  let inner = ${field("inner")};
  let outer = ${field("outer")};
  let first = crop * ${size * size}u;
  for (var i = thread; i < ${size}u; i += 64u) { lines[i] = pixels[first + ${at}]; }
  workgroupBarrier();
  for (var turn = 0u; turn < 3u; turn++) {
    let start = (turn % 2u) * ${size}u;
    let to = ${size}u - start;
    for (var i = thread; i < ${size}u; i += 64u) {
      var sum = vec3<u32>(0u);
      for (var k = -radius; k <= radius; k++) { sum += pixelOf(start, i32(i) + k); }
      let ends = pixelOf(start, i32(i) - radius - 1) + pixelOf(start, i32(i) + radius + 1);
      lines[to + i] = pack(vec3<i32>((sum * inner + ends * outer + vec3<u32>(0x800000u)) >> vec3<u32>(24u)));
    }
    workgroupBarrier();
  }
  for (var i = thread; i < ${size}u; i += 64u) { pixels[first + ${at}] = lines[${size}u + i]; }`,
  };
}

/** Bright bytes inverted where a crop is solarized, and all of them normalised by a table. A thread a value. */
export const finishProgram: Program = {
  name: "views finish",
  reads: ["pixels", "records", "table"],
  words: ["pixels", "records"],
  writes: ["images"],
  scalars: { size: "u32", count: "u32" },
  workgroupSize: [64, 1],
  body: `
  let at = group * 64u + thread;
  if (at >= u.count) { return; }
  let crop = at / (3u * u.size * u.size);
  let channel = at % 3u;
  var byte = (pixels[at / 3u] >> (8u * channel)) & 255u;
  if (${field("solarize")} == 1u && byte >= 128u) { byte = 255u - byte; }
  images[at] = table[256u * channel + byte];`,
};
