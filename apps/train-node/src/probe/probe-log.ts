import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LinearEpoch } from "@dino/evaluation";

/** The reference's `log.txt`: a line of JSON an epoch. */
export interface ProbeLog {
  add(epoch: LinearEpoch): void;
}

/** Goes on behind the first `epochs` epochs of the log in `folder`; what came later is done again. */
export function probeLog(folder: string, epochs: number): ProbeLog {
  const path = join(folder, "log.txt");
  const before = existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : [];
  const lines = before.filter((line) => (JSON.parse(line) as { epoch: number }).epoch < epochs);
  return {
    add: (epoch) => {
      lines.push(lineOf(epoch));
      const part = `${path}.part`;
      writeFileSync(part, `${lines.join("\n")}\n`);
      renameSync(part, path);
    },
  };
}

function lineOf({ epoch, losses, learningRates, validation }: LinearEpoch): string {
  const figures = validation?.[0];
  return JSON.stringify({
    train_loss: losses[0],
    train_lr: learningRates[0],
    epoch,
    ...(figures && {
      test_loss: figures.loss,
      test_acc1: figures.top1,
      ...(figures.top5 !== undefined && { test_acc5: figures.top5 }),
    }),
  });
}
