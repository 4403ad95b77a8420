import {
  type AttentionMaps,
  inferno,
  massMask,
  normalize,
  type PatchGrid,
  palette,
  viridis,
} from "@dino/visualization";
import { patchCanvas } from "../parts/pixels.ts";

/** What can be laid over a picture. */
export type Layer =
  | { readonly kind: "attention"; readonly map: Float32Array; readonly keep: number }
  | { readonly kind: "heads"; readonly attention: AttentionMaps; readonly keep: number }
  | { readonly kind: "similarity"; readonly map: Float32Array }
  | { readonly kind: "colors"; readonly colors: CanvasImageSource };

/** Draws a picture and a layer over it, as large as the canvas is. */
export function draw(
  canvas: HTMLCanvasElement,
  picture: CanvasImageSource,
  grid: PatchGrid,
  layer: Layer,
): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const { width, height } = canvas;
  context.imageSmoothingQuality = "high";
  context.filter = layer.kind === "colors" ? "none" : "grayscale(1) brightness(0.62)";
  context.drawImage(picture, 0, 0, width, height);
  context.filter = "none";
  if (layer.kind === "attention") {
    lay(context, attentionPatches(grid, layer.map, layer.keep));
  } else if (layer.kind === "heads") {
    for (const [head, map] of layer.attention.maps.entries()) {
      lay(context, headPatches(grid, map, layer.keep, head));
    }
  } else if (layer.kind === "similarity") {
    lay(context, similarityPatches(grid, layer.map));
  } else {
    context.globalAlpha = 0.92;
    context.drawImage(layer.colors, 0, 0, width, height);
    context.globalAlpha = 1;
  }
}

/** A map alone, as a small picture. */
export function drawMap(canvas: HTMLCanvasElement, grid: PatchGrid, map: Float32Array): void {
  const strength = normalize(map);
  const patches = patchCanvas(grid, (patch) => [...inferno(strength[patch] as number), 255]);
  const context = canvas.getContext("2d");
  if (context) lay(context, patches);
}

function lay(context: CanvasRenderingContext2D, patches: OffscreenCanvas): void {
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(patches, 0, 0, context.canvas.width, context.canvas.height);
}

/** How much a value in [0, 1] covers of the picture, 0 to 255: nothing where nothing is. */
export function heatOpacity(value: number): number {
  return 245 * Math.min(1, Math.max(0, value)) ** 0.6;
}

/** The strongest patches that hold `keep` of the mass, in the colours of heat. */
function attentionPatches(grid: PatchGrid, map: Float32Array, keep: number): OffscreenCanvas {
  const strength = normalize(map);
  const mask = massMask(map, keep);
  return patchCanvas(grid, (patch) => {
    const value = strength[patch] as number;
    return [...inferno(0.3 + 0.7 * value), mask[patch] ? heatOpacity(value) : 0];
  });
}

function headPatches(
  grid: PatchGrid,
  map: Float32Array,
  keep: number,
  head: number,
): OffscreenCanvas {
  const strength = normalize(map);
  const mask = massMask(map, keep);
  const color = palette[head % palette.length] ?? [255, 255, 255];
  return patchCanvas(grid, (patch) => {
    const value = strength[patch] as number;
    return [...color, mask[patch] ? heatOpacity(value) : 0];
  });
}

/** From no likeness to the same. */
function similarityPatches(grid: PatchGrid, map: Float32Array): OffscreenCanvas {
  const strength = normalize(map);
  return patchCanvas(grid, (patch) => {
    const value = strength[patch] as number;
    return [...viridis(value), heatOpacity(value)];
  });
}
