import { mkdirSync, readFileSync } from "node:fs";
import { dirname, sep } from "node:path";
import { vit } from "@dino/backbones/vit";
import { writeSafetensors } from "@dino/checkpoint/node";
import type { Pixels } from "@dino/ops";
import { namedParameters } from "@dino/testing";
import { dispose } from "@tensorflow/tfjs-core";
import sharp from "sharp";

interface RetrievalFigures {
  readonly map: number;
  readonly precision: readonly [at1: number, at5: number, at10: number];
}
interface CopyFigures {
  readonly map: number;
  readonly micro: number;
}
interface Measure {
  readonly mean: number;
  readonly recall: number;
  readonly decay: number;
}
type Protocols<T> = Readonly<Record<"easy" | "medium" | "hard", T>>;
type Blocks<T> = Readonly<Record<"original" | "strong" | "crops/50", T>>;

/** What `reference/figures.py` makes. */
interface Figures {
  readonly picture: number;
  readonly feature: readonly number[];
  readonly retrieval: Protocols<RetrievalFigures>;
  readonly multiscale: Protocols<RetrievalFigures>;
  /** Ground truths as their authors publish them: in lists, and in arrays of numpy's. */
  readonly pickles: readonly string[];
  readonly copyDetection: Blocks<CopyFigures>;
  readonly whitened: Blocks<CopyFigures>;
  readonly video: {
    readonly objects: readonly {
      readonly mean: number;
      readonly region: Measure;
      readonly boundary: Measure;
    }[];
    /** Of each object in each frame. */
    readonly pixels: readonly (readonly [number, number])[];
  };
}

export const figures: Figures = JSON.parse(
  readFileSync(new URL("./reference/figures.json", import.meta.url), "utf8"),
);

/** A small Vision Transformer. */
export const tinySizes = { embedDim: 24, depth: 2, heads: 3, patchSize: 8, imageSize: 32 };

/** Writes its weights, made from their names. */
export async function writeTinyModel(path: string): Promise<void> {
  const params = namedParameters("tiny.", vit(tinySizes).parameterShapes);
  await writeSafetensors(path, params, { architecture: JSON.stringify(tinySizes) });
  dispose(params);
}

/** Waves whose lengths and colours are the scene's; `turn` shifts and roughens them. */
export function madePicture(width: number, height: number, scene: number, turn: number): Pixels {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, at) => {
    const [x, y, c] = [Math.floor(at / 3) % width, Math.floor(at / 3 / width), at % 3];
    const length = x * (3 + (scene % 5)) + y * (2 + (scene % 7)) * (1 + c);
    const wave = (length + 5 * turn + 40 * c * scene) % 97;
    const rough = (x * x * 7 + y * 13 * x + y * y * 3 + c * 5 + 31 * turn) % (11 + 5 * turn);
    return (wave * 2 + rough) % 256;
  });
  return { width, height, data };
}

export async function writePng(path: string, { width, height, data }: Pixels): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(path);
}

/** What an error says, with paths from `folder` on. */
export function messageOf(folder: string, run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as Error).message.replaceAll(`${folder}${sep}`, "");
  }
  return "no error";
}
