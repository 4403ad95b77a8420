import type { Pixels } from "@dino/ops";
import {
  heatmap,
  maskOverlay,
  overlay,
  type PatchTokens,
  patchAt,
  patchSimilarity,
} from "@dino/visualization";
import type { Command } from "commander";
import { type Context, command } from "../command.ts";
import { UsageError } from "../errors.ts";
import { readFitted } from "../frames/read-fitted.ts";
import type { Frame } from "../frames/source.ts";
import { resizePicture } from "../model/image-size.ts";
import { openJournal } from "../model/look-journal.ts";
import { patchTokensOf } from "../model/patch-tokens-of.ts";
import { type Point, point, shares } from "../model/point.ts";
import type { NamedPictures } from "../model/write-pictures.ts";
import { drawAll, drawing } from "./draw-all.ts";
import { type Look, type LookFlags, openLook, withLook } from "./look-options.ts";
import { flagValue } from "./weights-options.ts";

interface SimilarityFlags extends LookFlags {
  readonly point: string;
}

export function similarityCommand(context: Context): Command {
  return withLook(
    command("similarity", "which patches a model takes for like the one at a point"),
    "similarity",
  )
    .requiredOption(
      "--point <x,y>",
      "a point of the first picture, in its pixels or as 40%,25%, from the upper left corner",
    )
    .option("--json", 'print one line of JSON, {"pictures":[..],"videos":[..]}')
    .addHelpText(
      "after",
      `
The cosine of the patches' tokens to that of the patch at the point, in the first picture and in
all others. For each picture NAME it writes NAME-similarity.png, dark where patches are as little
alike as any of the first picture, yellow where they are the same, and NAME-overlay.png, the same
over the picture, with the point's patch outlined.

Examples:
  dino similarity cat.jpg --point 320,180 --weights runs/my-run
  dino similarity cat.jpg others --point 50%,30% --weights runs/my-run`,
    )
    .action((paths: readonly string[], flags: SimilarityFlags) =>
      drawing(context, (signal) => similarity(context, paths, flags, signal)),
    );
}

async function similarity(
  context: Context,
  paths: readonly string[],
  flags: SimilarityFlags,
  signal: AbortSignal,
): Promise<void> {
  const at = flagValue("--point", flags.point, point) as Point;
  const look = await openLook(context, paths, flags);
  const asked = await askedPatch(look, at);
  const { tokens, patch } = asked;
  const range = [Math.min(...patchSimilarity(tokens, patch)), 1] as const;
  const journal = await openJournal(look.folder, "similarity.json", {
    ...look.settings,
    point: point.show(at),
  });

  const draw = async (picture: Pixels, frame: Frame): Promise<NamedPictures> => {
    const among = await patchTokensOf(picture, look);
    const alike = heatmap(patchSimilarity(tokens, patch, among), { ...among, range });
    const over = overlay(picture, alike, { opacity: 0.6 });
    const marked = frame.path === asked.path ? outlined(over, tokens, patch) : over;
    return [
      ["similarity", alike],
      ["overlay", marked],
    ];
  };
  await drawAll(context, look, {
    doing: "similarity",
    json: flags.json,
    signal,
    of: () => ({ names: ["similarity", "overlay"], journal, draw }),
  });
}

interface Asked {
  /** Of the first picture. */
  readonly tokens: PatchTokens;
  readonly patch: number;
  readonly path: string;
}

/** The patch of the first picture, or of a video's first frame, that covers the point. */
async function askedPatch(look: Look, at: Point): Promise<Asked> {
  const [first] = look.sources;
  for await (const frame of first?.frames() ?? []) {
    const picture = await frame.read();
    const share = shares(at, picture);
    if (!share) {
      throw new UsageError(
        `--point: expected one within ${frame.path}, ${picture.width} x ${picture.height} pixels, got ${point.show(at)}`,
      );
    }
    const tokens = await patchTokensOf(
      await readFitted(frame, look.size, look.backbone.patchSize),
      look,
    );
    const { width, height } = resizePicture(picture, look.size);
    // What is cut off beyond the last whole patch is nearest to that one.
    const within = (position: number, patches: number) =>
      Math.min(position, patches * tokens.patchSize - 1);
    const patch = patchAt(tokens, {
      x: within(share.x * width, tokens.columns),
      y: within(share.y * height, tokens.rows),
    });
    return { tokens, patch, path: frame.path };
  }
  throw new UsageError("PICTURE: expected one or more, got none");
}

/** The picture with a line around one patch. */
function outlined(picture: Pixels, tokens: PatchTokens, patch: number): Pixels {
  const mask = new Uint8Array(tokens.rows * tokens.columns);
  mask[patch] = 1;
  return maskOverlay(picture, mask, { ...tokens, color: [255, 255, 255], opacity: 0 });
}
