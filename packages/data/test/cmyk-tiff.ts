/** A TIFF of one uncompressed pixel of cyan, magenta, yellow and black ink. */
export function cmykTiff(ink: readonly number[]): Uint8Array {
  const entries: readonly (readonly [tag: number, type: number, count: number, value: number])[] = [
    [256, 3, 1, 1], // width
    [257, 3, 1, 1], // height
    [258, 3, 4, 0], // bits per sample: at the end
    [259, 3, 1, 1], // no compression
    [262, 3, 1, 5], // separated inks
    [273, 4, 1, 8], // where the pixel is
    [277, 3, 1, 4], // samples per pixel
    [278, 3, 1, 1], // rows per strip
    [279, 4, 1, 4], // bytes in it
  ];
  const directory = 12;
  const end = directory + 2 + 12 * entries.length + 4;
  const view = new DataView(new ArrayBuffer(end + 8));
  view.setUint32(0, 0x49492a00); // little-endian
  view.setUint32(4, directory, true);
  new Uint8Array(view.buffer).set(ink, 8);
  view.setUint16(directory, entries.length, true);
  entries.forEach(([tag, type, count, value], i) => {
    const place = directory + 2 + 12 * i;
    view.setUint16(place, tag, true);
    view.setUint16(place + 2, type, true);
    view.setUint32(place + 4, count, true);
    view.setUint32(place + 8, tag === 258 ? end : value, true);
  });
  for (let i = 0; i < 4; i++) view.setUint16(end + 2 * i, 8, true);
  return new Uint8Array(view.buffer);
}
