import type { Command } from "commander";
import { type Context, command } from "../command.ts";
import { isVideo } from "../frames/source.ts";
import {
  type AttentionKind,
  attentionKinds,
  attentionNames,
  attentionPictures,
} from "../model/attention-pictures.ts";
import { classAttentionOf } from "../model/class-attention-of.ts";
import { openJournal } from "../model/look-journal.ts";
import * as kinds from "../settings/kinds.ts";
import { drawAll, drawing } from "./draw-all.ts";
import { type LookFlags, openLook, withLook } from "./look-options.ts";
import { flagValue } from "./weights-options.ts";

interface AttentionFlags extends LookFlags {
  readonly threshold?: string;
  readonly write?: string;
}

/** Of a video, the others would be too many files. */
const kindsOfVideos: readonly AttentionKind[] = ["mean", "mask", "heads", "sheet"];

export function attentionCommand(context: Context): Command {
  return withLook(command("attention", "what a model looks at in pictures and videos"), "attention")
    .option("--threshold <number>", "share of a map's attention that masks and colours keep (0.6)")
    .option(
      "--write <kinds>",
      `which pictures: ${attentionKinds.join(",")} (all; of a video ${kindsOfVideos.join(",")})`,
    )
    .option("--json", 'print one line of JSON, {"pictures":[..],"videos":[..]}')
    .addHelpText(
      "after",
      `
For each picture NAME it writes NAME-head0.png and so on, NAME-head0-mask.png and so on (the
strongest patches of each head), NAME-mean.png, NAME-mask.png (the mean's strongest patches),
NAME-heads.png (the heads in colours) and NAME-sheet.png (the picture and its maps). For a video
NAME the same of each frame, in a folder NAME, and NAME-mean.mp4 and so on beside it.

Ctrl-C finishes the picture. The same command again leaves out what is done.

Examples:
  dino attention cat.jpg --weights runs/my-run --out attention
  dino attention clip.mp4 --weights runs/my-run --fps 10
  dino attention frames --video --write mean --video-format gif --weights runs/my-run`,
    )
    .action((paths: readonly string[], flags: AttentionFlags) =>
      drawing(context, (signal) => attention(context, paths, flags, signal)),
    );
}

async function attention(
  context: Context,
  paths: readonly string[],
  flags: AttentionFlags,
  signal: AbortSignal,
): Promise<void> {
  const keep = flagValue("--threshold", flags.threshold, kinds.number({ above: 0, max: 1 })) ?? 0.6;
  const asked = flagValue("--write", flags.write, kinds.some(attentionKinds));
  const look = await openLook(context, paths, flags);
  const { backbone, settings } = look;
  const journal = await openJournal(look.folder, "attention.json", {
    ...settings,
    threshold: keep,
  });
  await drawAll(context, look, {
    doing: "attention",
    json: flags.json,
    signal,
    of: (source) => {
      const shown = asked ?? (isVideo(source) ? kindsOfVideos : attentionKinds);
      return {
        names: attentionNames(shown, backbone.heads),
        journal,
        draw: async (picture) => {
          const maps = await classAttentionOf(picture, look);
          return attentionPictures(maps, picture, { kinds: shown, keep });
        },
      };
    },
  });
}
