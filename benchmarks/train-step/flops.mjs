/**
 * GFLOP of one training step for one picture, a multiplication and an addition being two. Counted
 * are the products of matrices and attention: a block has 24 N D^2 + 4 N^2 D for N tokens of width
 * D. The teacher sees the global crops, the student all of them; backward costs twice the student's
 * forward, but no gradient reaches the pictures. Nominal: what an engine leaves out counts as done.
 */
export function stepGflop(sizes) {
  const { globalSize, localSize, locals } = sizes;
  const headed = (side) => viewFlops(sizes, side) + headFlops(sizes);
  const teacher = 2 * headed(globalSize);
  const student = 2 * headed(globalSize) + locals * headed(localSize);
  const pictures = 2 * embedFlops(sizes, globalSize) + locals * embedFlops(sizes, localSize);
  return (teacher + 3 * student - pictures) / 1e9;
}

function viewFlops({ width, depth, patch, ...sizes }, side) {
  const tokens = 1 + Math.floor(side / patch) ** 2;
  const block = 24 * tokens * width ** 2 + 4 * tokens ** 2 * width;
  return depth * block + embedFlops({ width, patch, ...sizes }, side);
}

function embedFlops({ width, patch }, side) {
  return 2 * Math.floor(side / patch) ** 2 * 3 * patch ** 2 * width;
}

function headFlops({ width, hidden, bottleneck, prototypes }) {
  return 2 * (width * hidden + hidden ** 2 + hidden * bottleneck + bottleneck * prototypes);
}
