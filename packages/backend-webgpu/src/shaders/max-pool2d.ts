import type { Program } from "../program.ts";

const scalars = {
  size: "u32",
  pictureRows: "u32",
  pictureColumns: "u32",
  channels: "u32",
  placesDown: "u32",
  placesAcross: "u32",
  side: "u32",
  stride: "u32",
  padding: "u32",
} as const;

/** The largest pixel of every window; the first one, where several are. */
export const maxPoolProgram: Program = {
  name: "maxPool",
  reads: ["x"],
  writes: ["y"],
  scalars,
  workgroupSize: [64, 1],
  body: `
  let at = group * 64u + thread;
  if (at >= u.size) { return; }
  let channel = at % u.channels;
  let across = at / u.channels % u.placesAcross;
  let down = at / u.channels / u.placesAcross % u.placesDown;
  let picture = at / u.channels / u.placesAcross / u.placesDown;
  var value = -3.4028234663852886e38;
  for (var i = 0u; i < u.side * u.side; i++) {
    // Above and left of the picture the difference is huge, for it has no sign.
    let row = down * u.stride + i / u.side - u.padding;
    let column = across * u.stride + i % u.side - u.padding;
    if (row < u.pictureRows && column < u.pictureColumns) {
      value = max(value, x[((picture * u.pictureRows + row) * u.pictureColumns + column) * u.channels + channel]);
    }
  }
  y[at] = value;`,
};

/** The gradients of all windows whose first largest pixel one is. */
export const maxPoolBackwardProgram: Program = {
  name: "maxPoolBackward",
  reads: ["dy", "x", "y"],
  writes: ["dx"],
  scalars,
  workgroupSize: [64, 1],
  declarations: `
fn isFirst(picture: u32, down: u32, across: u32, channel: u32, own: u32, most: f32) -> bool {
  for (var i = 0u; i < own; i++) {
    let row = down * u.stride + i / u.side - u.padding;
    let column = across * u.stride + i % u.side - u.padding;
    if (row < u.pictureRows && column < u.pictureColumns) {
      if (x[((picture * u.pictureRows + row) * u.pictureColumns + column) * u.channels + channel] == most) { return false; }
    }
  }
  return true;
}`,
  body: `
  let at = group * 64u + thread;
  if (at >= u.size) { return; }
  let channel = at % u.channels;
  let column = at / u.channels % u.pictureColumns;
  let row = at / u.channels / u.pictureColumns % u.pictureRows;
  let picture = at / u.channels / u.pictureColumns / u.pictureRows;
  let value = x[at];
  var sum = 0.0;
  for (var i = 0u; i < u.side * u.side; i++) {
    let fromTop = row + u.padding - i / u.side;
    let fromLeft = column + u.padding - i % u.side;
    let down = fromTop / u.stride;
    let across = fromLeft / u.stride;
    let isThere = down < u.placesDown && across < u.placesAcross;
    if (isThere && down * u.stride == fromTop && across * u.stride == fromLeft) {
      let place = ((picture * u.placesDown + down) * u.placesAcross + across) * u.channels + channel;
      if (y[place] == value && isFirst(picture, down, across, channel, i, value)) { sum += dy[place]; }
    }
  }
  dx[at] = sum;`,
};
