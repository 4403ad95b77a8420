import type { NamedFile } from "@dino/data/browser";
import sheet from "../../generated/emoji.webp";
import { looker } from "../look/looker.svelte.ts";
import { canvasOf } from "../parts/pixels.ts";
import { mostPictures } from "./settings.ts";

/** Files of a person's own, or the emoji that the page brings along. */
type Source = { readonly files: readonly NamedFile[] } | { readonly sheet: string };

/** The pictures that are compared, what they are sorted under, and what follows for the others. */
class Comparing {
  names = $state.raw<readonly string[]>([]);
  thumbnails = $state.raw<readonly OffscreenCanvas[]>([]);
  /** The picture that the others are compared with. */
  chosen = $state<number>();
  /** Cosines with the chosen one. */
  similarities = $state.raw<Float32Array>();
  labels = $state<string[]>(["A", "B"]);
  /** The label that a person gave each picture, or -1. */
  given = $state.raw<Int32Array>(new Int32Array());
  /** What the classifier makes of each, or -1. */
  predicted = $state.raw<Int32Array>(new Int32Array());
  own = $state(false);
  busy = $state(false);
  note = $state("");
  error = $state("");

  #source: Source | undefined;
  #model: unknown;
  #asked = 0;

  /** Opens with the built-in pictures; takes features anew where the model is another. */
  async open(): Promise<void> {
    if (this.#source && this.#model === looker.model) return;
    await this.#take(this.#source ?? { sheet: new URL(sheet, document.baseURI).href });
  }

  async take(files: readonly NamedFile[]): Promise<void> {
    this.labels = ["A", "B"];
    await this.#take({ files });
  }

  async takeOwn(): Promise<void> {
    await this.#take({ sheet: new URL(sheet, document.baseURI).href });
  }

  async choose(index: number): Promise<void> {
    this.chosen = index;
    try {
      const similarities = await looker.worker.similarities(index);
      if (this.chosen === index) this.similarities = similarities;
    } catch (error) {
      this.error = (error as Error).message;
    }
  }

  everything(): void {
    this.chosen = undefined;
    this.similarities = undefined;
  }

  async label(index: number, label: number): Promise<void> {
    const given = this.given.slice();
    given[index] = label;
    this.given = given;
    await this.#classify();
  }

  addLabel(): void {
    this.labels.push(String.fromCharCode(65 + this.labels.length));
  }

  async clear(): Promise<void> {
    this.given = new Int32Array(this.names.length).fill(-1);
    await this.#classify();
  }

  async #classify(): Promise<void> {
    const { given } = this;
    try {
      const predicted = await looker.worker.classify(given);
      if (this.given === given) this.predicted = predicted;
    } catch (error) {
      this.error = (error as Error).message;
    }
  }

  async #take(source: Source): Promise<void> {
    const asked = ++this.#asked;
    const isLast = () => asked === this.#asked;
    const before = this.#source;
    this.#source = source;
    this.busy = true;
    this.note = "Comparing …";
    this.error = "";
    await looker.ready;
    if (!isLast()) return;
    try {
      const { names, thumbnails, broken } = await looker.worker.compare(
        source,
        mostPictures,
        ({ done, total }: { readonly done: number; readonly total: number }) => {
          if (isLast()) this.note = `Comparing: ${done} of ${total}`;
        },
      );
      if (!isLast()) return;
      this.#model = looker.model;
      this.own = "files" in source;
      this.names = names;
      this.thumbnails = thumbnails.map(canvasOf);
      this.everything();
      await this.clear();
      this.note =
        broken > 0
          ? `${broken} ${broken === 1 ? "file" : "files"} could not be read and left out.`
          : "";
    } catch (error) {
      // Given up for what was asked for since, or for another model, which asks for the same again.
      if (!isLast() || (error as Error).name === "AbortError") return;
      this.#source = before;
      this.note = "";
      this.error = error instanceof Error ? error.message : String(error);
    } finally {
      if (isLast()) this.busy = false;
    }
  }
}

export const comparing = new Comparing();
