import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import sharp from "sharp";

export const root: string = resolve(import.meta.dirname, "../..");

/** A program that the documentation shows. */
export interface Program {
  /** The page, and which of its programs. */
  readonly name: string;
  readonly source: string;
}

/** Every block of TypeScript of the README files and the guide. */
export function programs(): readonly Program[] {
  const below = (folder: string, file: string) =>
    readdirSync(resolve(root, folder)).map((name) => `${folder}/${name}${file}`);
  return ["README.md", ...below("packages", "/README.md"), ...below("docs/guide", "")]
    .filter((page) => existsSync(resolve(root, page)))
    .flatMap((page) => {
      const text = readFileSync(resolve(root, page), "utf8");
      return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match, i) => ({
        name: `${page} #${i + 1}`,
        source: match[1] as string,
      }));
    });
}

/** What stands around a program that says "in the loop". */
export const preludes: Readonly<Record<string, string>> = {
  "docs/guide/programs.md #1": `
    import * as fixtures from "@tensorflow/tfjs";
    const logits = fixtures.variable(fixtures.randomNormal([6, 4, 4096]));
    const globalCrops = 2, crops = 6, step = 0;
    const teacherHead = (crops: number) => fixtures.slice(logits, 0, crops) as fixtures.Tensor3D;
    const studentHead = (crops: number) => fixtures.slice(logits, 0, crops) as fixtures.Tensor3D;
  `,
};

/** Sizes that are too large for a test, and what it takes instead. */
export const smaller: readonly (readonly [shown: string, run: string])[] = [
  ["100 * batches.perEpoch", "2 * batches.perEpoch"],
  ["10 * batches.perEpoch", "1 * batches.perEpoch"],
  ["locals: 6 }), batchSize: 64", "locals: 2 }), batchSize: 8"],
  [
    "dinoHead({ inputs: backbone.embedDim, prototypes: 1024 })",
    "dinoHead({ inputs: backbone.embedDim, prototypes: 1024, hidden: 64 })",
  ],
  [
    'vit("tiny", { patchSize: 8, imageSize: 64,',
    "vit({ embedDim: 24, depth: 2, heads: 3, patchSize: 8, imageSize: 64,",
  ],
  [
    'vit("tiny", { patchSize: 8, imageSize: 32 })',
    "vit({ embedDim: 24, depth: 2, heads: 3, patchSize: 8, imageSize: 32 })",
  ],
  ["batches, steps: 10 }", "batches, steps: 2 }"],
  ["shortSide: 480", "shortSide: 96"],
  ['"small", { patchSize: 16 }', "{ embedDim: 48, depth: 2, heads: 6, patchSize: 16 }"],
];

/** The files that the programs read: a folder of pictures in two classes, a picture of a cat. */
export async function layOut(folder: string): Promise<void> {
  const picture = (width: number, height: number, seed: number) =>
    sharp(
      Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * (seed + 3)) % 256),
      {
        raw: { width, height, channels: 3 },
      },
    );
  for (const name of ["cats", "dogs"]) {
    mkdirSync(resolve(folder, "photos", name), { recursive: true });
    for (let i = 0; i < 40; i++) {
      await picture(40, 32, i)
        .png()
        .toFile(resolve(folder, "photos", name, `${i}.png`));
    }
  }
  await picture(160, 120, 5).jpeg().toFile(resolve(folder, "cat.jpg"));
}
