/** The grey level of an RGB pixel in 8 bits: ITU-R 601-2, in Pillow's fixed-point arithmetic. */
export function luma(red: number, green: number, blue: number): number {
  return (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16;
}
