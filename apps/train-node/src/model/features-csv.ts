import type { Dataset } from "@dino/data";
import type { Features } from "@dino/evaluation";

/** Which picture each row is of: `row,file,class`. */
export function namesCsv(folder: Dataset): string {
  const lines = Array.from({ length: folder.length }, (_, i) => [
    String(i),
    ...described(folder, i),
  ]);
  return table([["row", "file", "class"], ...lines]);
}

/** The features themselves: `file,class,0,1,...`, in digits that give the same float32 again. */
export function featuresCsv(folder: Dataset, { rows, dim, count }: Features): string {
  const head = ["file", "class", ...Array.from({ length: dim }, (_, i) => String(i))];
  const lines = Array.from({ length: count }, (_, i) => {
    const values = rows.subarray(i * dim, (i + 1) * dim);
    return [
      ...described(folder, i),
      ...Array.from(values, (x) => String(Number(x.toPrecision(9)))),
    ];
  });
  return table([head, ...lines]);
}

function described(folder: Dataset, index: number): readonly [string, string] {
  const label = folder.label(index);
  return [folder.name(index), label < 0 ? "" : (folder.classes[label] as string)];
}

function table(lines: readonly (readonly string[])[]): string {
  return lines.map((cells) => `${cells.map(quoted).join(",")}\n`).join("");
}

/** RFC 4180: cells with a comma, a quote or a line's end stand in quotes. */
function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
