/** A kernel that pictures are resized with. */
export type Filter = "bicubic" | "bilinear" | "lanczos";

/** The kernels as Pillow has them: nonzero within `support` of 0, before they are stretched. */
export const filters: Readonly<
  Record<Filter, { readonly support: number; readonly weight: (distance: number) => number }>
> = {
  bilinear: { support: 1, weight: (distance) => Math.max(1 - Math.abs(distance), 0) },
  bicubic: { support: 2, weight: keys },
  lanczos: {
    support: 3,
    weight: (distance) => (Math.abs(distance) < 3 ? sinc(distance) * sinc(distance / 3) : 0),
  },
};

/** Keys' cubic with a = -0.5, in the form that keeps Pillow's roundings. */
function keys(distance: number): number {
  const a = -0.5;
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}
