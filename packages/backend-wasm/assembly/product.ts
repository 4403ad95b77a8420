import { pack, tileColumns, tileRows } from "./pack.ts";
import { tile } from "./tile.ts";

/** Places of the inner axis that are multiplied at a time: a panel of them stays in the first cache. */
const blockDepth: i32 = 256;
/** Rows of the left operand that are packed at a time: with that depth, for the second cache. */
const blockRows: i32 = 96;
/** Columns of the right operand that are packed at a time. */
const blockColumns: i32 = 512;

const leftBytes: usize = (<usize>(blockDepth * blockRows)) << 2;
const rightBytes: usize = (<usize>(blockDepth * blockColumns)) << 2;
const tileBytes: usize = (<usize>(tileRows * tileColumns)) << 2;

/** Bytes that `product` needs to work in. */
export const productScratch: usize = leftBytes + rightBytes + tileBytes;

/**
 * `c = a b`, or with `bias` `c = a b + bias`, or with `accumulate` `c += a b`: `a`
 * `[rows, inner]`, `b` `[inner, columns]`, `bias` `[columns]`. Every operand has its bytes from
 * row to row and from column to column, so that any may be transposed or a part of something
 * larger; `c`'s columns lie beside each other.
 */
export function product(
  a: usize,
  aRow: usize,
  aColumn: usize,
  b: usize,
  bRow: usize,
  bColumn: usize,
  c: usize,
  cRow: usize,
  rows: i32,
  columns: i32,
  inner: i32,
  bias: usize,
  accumulate: bool,
  scratch: usize,
): void {
  const left = scratch;
  const right = left + leftBytes;
  const spare = right + rightBytes;
  for (let column = 0; column < columns; column += blockColumns) {
    const width = min(blockColumns, columns - column);
    const cBlock = c + ((<usize>column) << 2);
    const biasBlock = bias ? bias + ((<usize>column) << 2) : 0;
    // At least once, for the bias's sake.
    let k = 0;
    do {
      const depth = min(blockDepth, inner - k);
      const goesOn = accumulate || k > 0;
      pack(
        b + <usize>column * bColumn + <usize>k * bRow,
        bColumn,
        bRow,
        width,
        depth,
        tileColumns,
        right,
      );
      for (let row = 0; row < rows; row += blockRows) {
        const height = min(blockRows, rows - row);
        pack(
          a + <usize>row * aRow + <usize>k * aColumn,
          aRow,
          aColumn,
          height,
          depth,
          tileRows,
          left,
        );
        block(
          left,
          right,
          height,
          width,
          depth,
          cBlock + <usize>row * cRow,
          cRow,
          k > 0 ? 0 : biasBlock,
          goesOn,
          spare,
        );
      }
      k += blockDepth;
    } while (k < inner);
  }
}

/** One block of `c`, tile by tile, from packed operands. */
function block(
  left: usize,
  right: usize,
  rows: i32,
  columns: i32,
  depth: i32,
  c: usize,
  cRow: usize,
  bias: usize,
  goesOn: bool,
  spare: usize,
): void {
  const leftPanel = (<usize>(tileRows * depth)) << 2;
  const rightPanel = (<usize>(tileColumns * depth)) << 2;
  for (let column = 0; column < columns; column += tileColumns) {
    const at = (<usize>column) << 2;
    const width = columns - column;
    let panel = left;
    for (let row = 0; row < rows; row += tileRows) {
      const to = c + <usize>row * cRow + at;
      if (width >= tileColumns && rows - row >= tileRows) {
        const start = goesOn ? to : bias ? bias + at : 0;
        tile(panel, right, depth, start, goesOn ? cRow : 0, to, cRow);
      } else {
        tile(panel, right, depth, 0, 0, spare, (<usize>tileColumns) << 2);
        storePart(
          spare,
          to,
          cRow,
          min(rows - row, tileRows),
          min(width, tileColumns),
          bias ? bias + at : 0,
          goesOn,
        );
      }
      panel += leftPanel;
    }
    right += rightPanel;
  }
}

/** The part of a tile that lies within `c`. */
function storePart(
  tile: usize,
  c: usize,
  cRow: usize,
  rows: i32,
  columns: i32,
  bias: usize,
  goesOn: bool,
): void {
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = (<usize>column) << 2;
      let value = load<f32>(tile + at);
      if (goesOn) value += load<f32>(c + at);
      else if (bias) value += load<f32>(bias + at);
      store<f32>(c + at, value);
    }
    tile += (<usize>tileColumns) << 2;
    c += cRow;
  }
}
