/** Columns that are gone through row by row: what is written of them stays in the first cache. */
const together: i32 = 64;

/** Every matrix `[rows, columns]` of a batch, transposed. */
export function transpose(x: usize, matrices: i32, rows: i32, columns: i32, y: usize): void {
  const size = (<usize>rows * <usize>columns) << 2;
  for (let matrix = 0; matrix < matrices; matrix++) {
    for (let first = 0; first < columns; first += together) {
      const end = min(columns, first + together);
      for (let row = 0; row < rows; row += 4) {
        const height = min(4, rows - row);
        for (let column = first; column < end; column += 4) {
          turn(
            x + ((<usize>row * <usize>columns + <usize>column) << 2),
            (<usize>columns) << 2,
            height,
            min(4, end - column),
            y + ((<usize>column * <usize>rows + <usize>row) << 2),
            (<usize>rows) << 2,
          );
        }
      }
    }
    x += size;
    y += size;
  }
}

/** A block of up to 4 x 4 values, transposed. */
/* @inline */
function turn(x: usize, xRow: usize, rows: i32, columns: i32, y: usize, yRow: usize): void {
  if (rows === 4 && columns === 4) {
    const a = v128.load(x);
    const b = v128.load(x + xRow);
    const c = v128.load(x + 2 * xRow);
    const d = v128.load(x + 3 * xRow);
    const abLow = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
    const abHigh = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
    const cdLow = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
    const cdHigh = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
    v128.store(y, v128.shuffle<i64>(abLow, cdLow, 0, 2));
    v128.store(y + yRow, v128.shuffle<i64>(abLow, cdLow, 1, 3));
    v128.store(y + 2 * yRow, v128.shuffle<i64>(abHigh, cdHigh, 0, 2));
    v128.store(y + 3 * yRow, v128.shuffle<i64>(abHigh, cdHigh, 1, 3));
    return;
  }
  for (let row: usize = 0; row < <usize>rows; row++) {
    for (let column: usize = 0; column < <usize>columns; column++) {
      store<i32>(y + column * yRow + (row << 2), load<i32>(x + row * xRow + (column << 2)));
    }
  }
}

/** Copies `runs` runs of so many bytes, from and to wherever strides lead. */
export function copyRuns(
  x: usize,
  xStride: usize,
  y: usize,
  yStride: usize,
  runs: i32,
  bytes: usize,
): void {
  for (let run = 0; run < runs; run++) {
    memory.copy(y, x, bytes);
    x += xStride;
    y += yStride;
  }
}

/** Adds `runs` runs of `count` values to what lies where `y` is. */
export function addRuns(
  x: usize,
  xStride: usize,
  y: usize,
  yStride: usize,
  runs: i32,
  count: i32,
): void {
  for (let run = 0; run < runs; run++) {
    let i = 0;
    for (; i + 4 <= count; i += 4) {
      const at = (<usize>i) << 2;
      v128.store(y + at, f32x4.add(v128.load(y + at), v128.load(x + at)));
    }
    for (; i < count; i++) {
      const at = (<usize>i) << 2;
      store<f32>(y + at, load<f32>(y + at) + load<f32>(x + at));
    }
    x += xStride;
    y += yStride;
  }
}

/** Fills so many bytes with zeros. */
export function clear(x: usize, bytes: usize): void {
  memory.fill(x, 0, bytes);
}
