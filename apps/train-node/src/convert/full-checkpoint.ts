import { type Checkpoint, type Saveable, type StoredTensor, storedTensors } from "@dino/checkpoint";
import { RunError } from "../errors.ts";

/** All of a training run that the reference can go on with or look into. */
export interface FullCheckpoint {
  /** Names such as `backbone.cls_token` and `head.mlp.0.weight`. */
  readonly student: ReadonlyMap<string, StoredTensor>;
  readonly teacher: ReadonlyMap<string, StoredTensor>;
  /** `[1, prototypes]` */
  readonly center: StoredTensor | undefined;
  /** Epochs done. */
  readonly epoch: number | undefined;
  /** Settings by the reference's names. */
  readonly args: { readonly [name: string]: Saveable } | undefined;
}

/** Both networks of a run's state or of a training checkpoint of the reference's. */
export function fullCheckpoint(checkpoint: Checkpoint): FullCheckpoint {
  const tensors = storedTensors(checkpoint);
  const [student, teacher] = [network(tensors, "student."), network(tensors, "teacher.")];
  if (student.size === 0 || teacher.size === 0) {
    throw new RunError(
      `${checkpoint.name}: expected the student and the teacher of a training run, got ${
        student.size + teacher.size === 0 ? "neither" : "one of them"
      }: leave out --full for a backbone alone`,
    );
  }
  const center = tensors.get("dino_loss.center") ?? tensors.get("loss.center");
  return { student, teacher, center: center && asRow(center), ...told(checkpoint) };
}

/** A file that the reference goes on with by itself, as `checkpoint.pth` in its output folder. */
export function referenceFile({ student, teacher, center, epoch, args }: FullCheckpoint): Saveable {
  // With batch normalisation both networks are wrapped, else the student alone.
  const wrapped = [...student.keys()].some((name) => name.endsWith("running_mean"));
  return {
    student: prefixed("module.", student),
    teacher: wrapped ? prefixed("module.", teacher) : teacher,
    ...(epoch !== undefined && { epoch }),
    ...(args && { args }),
    ...(center && { dino_loss: new Map([["center", center]]) }),
  };
}

/** The same laid flat, for safetensors. */
export function flatFile({ student, teacher, center, epoch, args }: FullCheckpoint): {
  readonly entries: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
} {
  const entries = new Map([...prefixed("student.", student), ...prefixed("teacher.", teacher)]);
  if (center) entries.set("dino_loss.center", center);
  const metadata = {
    ...(epoch !== undefined && { epoch: String(epoch) }),
    ...(args && { args: JSON.stringify(args, numbersOfBigints) }),
  };
  return { entries, metadata };
}

function network(
  tensors: ReadonlyMap<string, StoredTensor>,
  root: string,
): ReadonlyMap<string, StoredTensor> {
  const below = [...tensors].filter(([name]) => name.startsWith(root));
  return new Map(
    below.map(([name, tensor]) => [name.slice(root.length).replace(/^module\./, ""), tensor]),
  );
}

function prefixed(prefix: string, weights: ReadonlyMap<string, StoredTensor>) {
  return new Map([...weights].map(([name, tensor]) => [prefix + name, tensor]));
}

function asRow(center: StoredTensor): StoredTensor {
  const shape = [1, center.shape.reduce((a, b) => a * b, 1)];
  return {
    dtype: center.dtype,
    shape,
    load: async () => ({ ...(await center.load()), shape }),
  };
}

/** Epoch and settings, of a file of the reference's, of one that was made of it, or of a run of ours. */
function told({ data, metadata }: Checkpoint): Pick<FullCheckpoint, "epoch" | "args"> {
  const { settings, numbers } = {
    settings: json(metadata.settings),
    numbers: json(metadata.numbers),
  };
  if (settings) return { epoch: epochOf(settings, numbers), args: referenceArgs(settings) };
  const epoch =
    data.epoch ?? json(metadata.epoch ? `{"epoch":${metadata.epoch}}` : undefined)?.epoch;
  const args = (data.args ?? json(metadata.args)) as FullCheckpoint["args"] | null;
  return { epoch: typeof epoch === "number" ? epoch : undefined, args: args ?? undefined };
}

/** Whole epochs: a run's state tells its steps, and its settings how many an epoch has. */
function epochOf(
  { pictures, "batch-size-per-gpu": batch }: Fields,
  numbers: Fields | undefined,
): number | undefined {
  const perEpoch = Math.floor(Number.parseInt(String(pictures), 10) / Number(batch));
  const step = numbers?.step;
  return typeof step === "number" && perEpoch >= 1 ? Math.floor(step / perEpoch) : undefined;
}

/** A run's settings as the reference's script has them: snake case, numbers where it has numbers. */
function referenceArgs(settings: Fields): { readonly [name: string]: Saveable } {
  const entries = Object.entries(settings).filter(
    ([name]) => !["architecture", "pictures"].includes(name),
  );
  return Object.fromEntries(
    entries.map(([name, value]) => [name.replaceAll("-", "_"), argument(value)]),
  );
}

/** `"0.4 1"` is a pair, `"1"` (epochs) a number, all else is itself. */
function argument(value: unknown): Saveable {
  if (typeof value !== "string") return value as Saveable;
  const numbers = value.split(" ").map((word) => (word === "" ? Number.NaN : Number(word)));
  if (numbers.some(Number.isNaN)) return value;
  return numbers.length === 1 ? (numbers[0] as number) : numbers;
}

type Fields = Readonly<Record<string, unknown>>;

function json(text: string | undefined): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text ?? "null");
    return typeof value === "object" && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function numbersOfBigints(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}
