import type { AttentionMaps } from "@dino/visualization";
import ownModel from "../../assets/model.safetensors?url";
import { engine } from "../engine/engine.svelte.ts";
import type { ModelSource } from "../model/open-model.ts";
import { connect } from "../remote/connect.ts";
import type { LookMethods, ModelInfo, Seen } from "./look-worker.ts";

/** What is looked at, by which model, and what came of it. */
class Looker {
  seen = $state.raw<Seen>();
  /** The attention of the chosen block. */
  attention = $state.raw<AttentionMaps>();
  block = $state(0);
  model = $state.raw<ModelInfo>();
  modelName = $state("");
  busy = $state(true);
  error = $state("");

  readonly #worker = connect<LookMethods>(
    new Worker(new URL("./look-worker.ts", import.meta.url), { type: "module", name: "look" }),
  );
  #picture: Blob | undefined;
  #side = 0;
  /** One thing after the other: a model must not change under a picture. */
  #last: Promise<unknown>;
  #asked = 0;

  constructor() {
    this.#last = this.#start();
  }

  /** Other parts of the page that need the same model ask its worker. */
  get worker() {
    return this.#worker.call;
  }

  /** Resolves when what was asked for so far is done. */
  get ready(): Promise<unknown> {
    return this.#last;
  }

  look(picture: Blob, side: number): Promise<void> {
    this.#picture = picture;
    this.#side = side;
    const asked = ++this.#asked;
    return this.#inTurn(async () => {
      if (asked === this.#asked) await this.#see(); // else another picture has come
    });
  }

  /** Looks at the same picture again, with another number of pixels. */
  async detail(side: number): Promise<void> {
    if (this.#picture) await this.look(this.#picture, side);
  }

  showBlock(block: number): Promise<void> {
    return this.#inTurn(async () => {
      this.attention = await this.worker.attention(block);
      this.block = block;
    });
  }

  open(source: ModelSource, name: string): Promise<void> {
    return this.#inTurn(async () => {
      this.model = await this.worker.open(source);
      this.modelName = name;
      await this.#see();
    });
  }

  openOwn(): Promise<void> {
    return this.open({ kind: "own", url: ownModelUrl() }, "Built in");
  }

  async #start(): Promise<void> {
    try {
      await engine.startIn(this.worker);
      this.model = await this.worker.open({ kind: "own", url: ownModelUrl() });
      this.modelName = "Built in";
    } catch (error) {
      engine.line = messageOf(error);
      engine.failed = true;
      this.error = messageOf(error);
    }
  }

  async #see(): Promise<void> {
    if (!this.#picture) return;
    const seen = await this.worker.look(this.#picture, this.#side);
    this.seen = seen;
    this.attention = seen.attention;
    this.block = (this.model?.depth ?? 1) - 1;
  }

  #inTurn(task: () => Promise<void>): Promise<void> {
    const run = this.#last.then(async () => {
      this.busy = true;
      this.error = "";
      try {
        await task();
      } catch (error) {
        this.error = messageOf(error);
      } finally {
        this.busy = false;
      }
    });
    this.#last = run;
    return run;
  }
}

const ownModelUrl = () => new URL(ownModel, document.baseURI).href;

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

export const looker = new Looker();
