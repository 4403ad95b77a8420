import type { Pixels } from "@dino/ops";
import { contactSheet, type PatchTokens, patchPca, pcaColors } from "@dino/visualization";
import type { Command } from "commander";
import { type Context, command } from "../command.ts";
import { bytes } from "../console/words.ts";
import { RunError } from "../errors.ts";
import { readFitted } from "../frames/read-fitted.ts";
import { classAttentionOf } from "../model/class-attention-of.ts";
import { patchTokensOf } from "../model/patch-tokens-of.ts";
import * as kinds from "../settings/kinds.ts";
import { drawAll, drawing, progressOf } from "./draw-all.ts";
import { type Look, type LookFlags, openLook, withLook } from "./look-options.ts";
import { flagValue } from "./weights-options.ts";

interface PcaFlags extends LookFlags {
  readonly foreground?: string;
}

/** All patches are held at once, and once more while they are compared. */
const mostBytes = 1e9;

export function pcaCommand(context: Context): Command {
  return withLook(
    command("pca", "patches in colours: alike where a model takes them for alike"),
    "pca",
  )
    .option(
      "--foreground <share>",
      "leave out patches below this share of the first component's range, from 0 to 1 (none)",
    )
    .option("--json", 'print one line of JSON, {"pictures":[..],"videos":[..],"explained":[..]}')
    .addHelpText(
      "after",
      `
The first three principal components of the patches' tokens as red, green and blue, on one basis
for all pictures: a part that several show has the same colour in each. For each picture NAME it
writes NAME-pca.png and NAME-pair.png, the picture and its colours side by side. With --foreground
the components are those of the patches above it alone, the class token's attention telling which
end of the first component is the foreground.

Examples:
  dino pca cat.jpg dog.jpg --weights runs/my-run
  dino pca photos --foreground 0.5 --weights runs/my-run`,
    )
    .action((paths: readonly string[], flags: PcaFlags) =>
      drawing(context, (signal) => pca(context, paths, flags, signal)),
    );
}

async function pca(
  context: Context,
  paths: readonly string[],
  flags: PcaFlags,
  signal: AbortSignal,
): Promise<void> {
  const foreground = flagValue(
    "--foreground",
    flags.foreground,
    kinds.number({ min: 0, below: 1 }),
  );
  const look = await openLook(context, paths, flags);
  const seen = await lookAt(context, look, { attends: foreground !== undefined, signal });
  const found = await patchPca(seen.tokens, { foreground, attention: seen.attention });
  const colors = pcaColors(found).values();
  await drawAll(context, look, {
    doing: "pca",
    json: flags.json,
    signal,
    figures: { explained: found.explained },
    of: () => ({
      names: ["pca", "pair"],
      draw: async (picture) => {
        const colored = colors.next().value as Pixels;
        return [
          ["pca", colored],
          ["pair", contactSheet([picture, colored], { columns: 2 })],
        ];
      },
    }),
  });
}

interface Seen {
  readonly tokens: readonly PatchTokens[];
  readonly attention: readonly Float32Array[] | undefined;
}

/** The patches' tokens of every frame, and what the class token looks at where that is asked for. */
async function lookAt(
  { screen }: Context,
  look: Look,
  { attends, signal }: { attends: boolean; signal: AbortSignal },
): Promise<Seen> {
  const tokens: PatchTokens[] = [];
  const attention: Float32Array[] = [];
  let held = 0;
  for (const [i, source] of look.sources.entries()) {
    let done = 0;
    for await (const frame of source.frames()) {
      signal.throwIfAborted();
      const picture = await readFitted(frame, look.size, look.backbone.patchSize);
      const seen = await patchTokensOf(picture, look);
      tokens.push(seen);
      if (attends) attention.push((await classAttentionOf(picture, look)).mean);
      held += seen.values.byteLength;
      if (held > mostBytes) {
        throw new RunError(
          `${frame.path}: expected at most ${bytes(mostBytes)} of patches together, got more with picture ${tokens.length}: give fewer pictures or a smaller --image-size`,
        );
      }
      screen.draw(`tokens: ${progressOf(look.sources, i, ++done)}`);
    }
  }
  return { tokens, attention: attends ? attention : undefined };
}
