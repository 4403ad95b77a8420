import type { NamedFile } from "@dino/data/browser";
import type { Metrics, TrainEvent } from "@dino/trainer";
import sheet from "../../generated/emoji.webp";
import { engine } from "../engine/engine.svelte.ts";
import { canvasOf } from "../parts/pixels.ts";
import { type Connection, connect } from "../remote/connect.ts";
import type { Judgement } from "./judge.ts";
import type { TrainSettings } from "./settings.ts";
import type { RunEvent, RunResult, Tensors, TrainMethods } from "./train-worker.ts";

export type Phase = "idle" | "preparing" | "running" | "pausing" | "paused" | "finished" | "failed";

/** What was judged after a number of steps. */
export interface JudgedAt {
  readonly step: number;
  readonly judgement: Judgement;
}

/** Figures of steps that the curves are drawn of, at most: more than a screen has pixels. */
const mostPoints = 600;

/** Under this name a tab remembers, over a reload, that it is training. */
const trainingKey = "training";

/** The one run of this page. */
class Training {
  phase = $state<Phase>("idle");
  settings = $state.raw<TrainSettings>();
  step = $state(0);
  metrics = $state.raw<readonly Metrics[]>([]);
  judged = $state.raw<readonly JudgedAt[]>([]);
  /** Pictures of the strip. */
  shown = $state.raw<readonly OffscreenCanvas[]>([]);
  pictures = $state(0);
  broken = $state(0);
  imagesPerSecond = $state(0);
  eta = $state(0);
  tensors = $state.raw<Tensors>({ count: 0, bytes: 0 });
  advice = $state("");
  note = $state("");
  error = $state("");

  #connection: Connection<TrainMethods> | undefined;
  #started: Promise<void> | undefined;
  /** Every how many-th step's figures are kept, so that they stay few. */
  #every = 1;

  get worker() {
    this.#connection ??= connect<TrainMethods>(
      new Worker(new URL("./train-worker.ts", import.meta.url), { type: "module", name: "train" }),
    );
    return this.#connection.call;
  }

  get busy(): boolean {
    return ["preparing", "running", "pausing"].includes(this.phase);
  }

  /** Looks whether there is a run to go on with, and does so if this tab was reloaded meanwhile. */
  async find(): Promise<void> {
    if (this.phase !== "idle") return;
    const kept = await this.worker.kept().catch((error: Error) => {
      this.error = error.message;
      return undefined;
    });
    if (!kept || this.phase !== "idle") return;
    this.settings = kept;
    this.note = "A run was kept in this browser.";
    this.phase = "paused";
    if (sessionStorage.getItem(trainingKey) !== null) await this.goOn();
  }

  begin(settings: TrainSettings, files: readonly NamedFile[]): Promise<void> {
    return this.#run(settings, (tell) =>
      this.worker.begin(settings, { sheet: sheetUrl(), files }, tell),
    );
  }

  goOn(): Promise<void> {
    return this.#run(this.settings, (tell) => this.worker.goOn(sheetUrl(), tell));
  }

  async pause(): Promise<void> {
    this.phase = "pausing";
    this.#remember(false);
    await this.worker.pause();
  }

  /** Ends the run; what was kept of it is forgotten, what is shown stays until the next one. */
  async stop(): Promise<void> {
    try {
      await this.worker.forget();
      this.note = "";
      this.phase = "idle";
    } catch (error) {
      this.error = (error as Error).message;
    }
  }

  async #run(
    settings: TrainSettings | undefined,
    call: (tell: (event: RunEvent) => void) => Promise<RunResult>,
  ): Promise<void> {
    this.settings = settings;
    this.phase = "preparing";
    this.error = "";
    this.note = "Preparing …";
    this.#remember(true);
    try {
      this.#started ??= engine.startIn(this.worker);
      await this.#started;
      const { finished } = await call((event) => this.#hear(event));
      this.#remember(false);
      this.phase = finished ? "finished" : "paused";
      this.note = finished ? "Done." : "Paused, and kept in this browser.";
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  /** A worker that failed is given up: the next run begins with a fresh one. */
  #fail(error: Error): void {
    this.#connection?.close();
    this.#connection = undefined;
    this.#started = undefined;
    this.#remember(false);
    this.error = error.message;
    this.note = "";
    this.phase = "failed";
  }

  /** Over a reload, that this tab is training. */
  #remember(training: boolean): void {
    if (training) sessionStorage.setItem(trainingKey, "");
    else sessionStorage.removeItem(trainingKey);
  }

  #hear(event: RunEvent): void {
    if (event.type === "pictures") {
      this.note = `Reading pictures: ${event.done} of ${event.total}`;
      return;
    }
    if (event.type === "told") {
      if (event.event.type === "step") this.tensors = event.memory;
      this.#told(event.event);
      return;
    }
    this.phase = this.phase === "pausing" ? "pausing" : "running";
    this.note = "";
    this.advice = "";
    this.metrics = [];
    this.judged = [];
    this.step = 0;
    this.#every = 1;
    this.shown = event.shown.map(canvasOf);
    this.pictures = event.pictures;
    this.broken = event.broken;
    for (const told of event.events) this.#told(told);
  }

  #told(event: TrainEvent): void {
    if (event.type === "step") {
      this.step = event.step;
      this.imagesPerSecond = event.imagesPerSecond;
      this.eta = event.eta;
      if (event.metrics && event.step % this.#every === 0) {
        const metrics = [...this.metrics, event.metrics];
        if (metrics.length > mostPoints) this.#every *= 2;
        this.metrics = metrics.filter(({ step }) => step % this.#every === 0);
      }
    }
    if (event.type === "resumed") this.step = event.step;
    if (event.type === "deviceLost") {
      this.note = `After the loss of the graphics device the run went on from step ${event.step}.`;
    }
    if (event.type === "advice") this.advice = event.message;
    if (event.type === "evaluation") {
      const judgement = event.result as Judgement;
      this.judged = [...this.judged, { step: event.step, judgement }];
    }
  }
}

const sheetUrl = () => new URL(sheet, document.baseURI).href;

export const training = new Training();
