import type { TrainEvent } from "@dino/trainer";
import type { Console } from "./console.ts";
import { clock, count, significant } from "./words.ts";

type StepEvent = Extract<TrainEvent, { type: "step" }>;

export interface TrainingViewOptions {
  /** Steps of the run. */
  readonly steps: number;
  readonly prototypes: number;
  /** Keeps every line for the run's log. */
  readonly log: (line: string) => void;
}

/** Seconds between two lines where nothing can be drawn. */
const interval = 10;

/** Shows a run while it goes: one bar on a terminal, a line now and then elsewhere. */
export function trainingView(
  screen: Console,
  { steps, prototypes, log }: TrainingViewOptions,
): (event: TrainEvent) => void {
  const { colors } = screen;
  const uniform = Math.log(prototypes);
  let figures = "";
  let shownAt = Number.NEGATIVE_INFINITY;
  const say = (line: string) => {
    log(line);
    screen.note(line);
  };

  const showStep = (event: StepEvent) => {
    const { step, imagesPerSecond, dataWait, eta, metrics } = event;
    if (metrics) {
      const { loss, targetEntropy, divergence } = metrics;
      figures =
        `loss ${loss.toFixed(4)} (${(loss / uniform).toFixed(3)} ln K)  ` +
        `entropy ${targetEntropy.toFixed(3)}  KL ${divergence.toFixed(3)}`;
    }
    const speed = `${significant(imagesPerSecond)} images/s  data ${dataWait.toFixed(2)} s`;
    const line = `step ${count(step)}/${count(steps)}  ${figures}  ${speed}  eta ${clock(eta)}`;
    screen.draw(`${bar(step / steps)} ${line}`);
    const now = Date.now() / 1000;
    if (now - shownAt < interval && step < steps) return;
    shownAt = now;
    if (screen.interactive) log(line);
    else say(line);
  };

  return (event) => {
    if (event.type === "step") showStep(event);
    if (event.type === "deviceLost")
      log(`the device was lost after ${count(event.lost.step)} steps (${event.lost.reason})`);
    if (event.type === "resumed") say(`going on from step ${count(event.step)}`);
    if (event.type === "epoch") {
      const { epoch, loss, learningRate } = event;
      say(
        `epoch ${epoch + 1}: loss ${loss.toFixed(4)}, learning rate ${significant(learningRate)}`,
      );
    }
    if (event.type === "evaluation")
      say(`step ${count(event.step)}: ${describe(event.result.knn)}`);
    if (event.type === "advice") {
      log(`advice: ${event.message}`);
      screen.note(colors.yellow(`step ${count(event.step)}: ${event.message}`));
    }
  };
}

function bar(share: number): string {
  const width = 12;
  const full = Math.round(share * width);
  return `${"█".repeat(full)}${"░".repeat(width - full)} ${Math.floor(100 * share)} %`;
}

function describe(knn: Readonly<Record<string, number>> = {}): string {
  const parts = Object.entries(knn).map(([k, percent]) => `${k}: ${percent.toFixed(2)} %`);
  return `k-NN ${parts.join(", ")}`;
}
