import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { RunError } from "../errors.ts";
import { runProgram } from "./run-program.ts";

/** A file that is to be downloaded. */
export interface Download {
  readonly name: string;
  readonly version: string;
  readonly url: string;
}

/** The wheels' Python: any will do, since only the C library is used. */
const wheelsFor = ["--only-binary=:all:", "--python-version", "3.12", "--implementation", "cp"];

/** Its C functions are those that tfjs-node calls; a later one has not been tried. */
const tensorflowVersions = "~=2.21.0";

export interface Pip {
  /** Runs pip with these words and returns its standard output. */
  run(words: readonly string[], onLine?: (line: string) => void): Promise<string>;
}

/**
 * A current pip of its own in `folder`, put there by the one of `python`: older ones download
 * whole wheels to tell what they would download.
 */
export async function ownPip(
  python: string,
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<Pip> {
  const temporary = join(folder, "tmp");
  mkdirSync(temporary, { recursive: true });
  const settings = {
    ...environment,
    // It unpacks there first: /tmp may be small, and on another disk.
    TMPDIR: temporary,
    PIP_DISABLE_PIP_VERSION_CHECK: "1",
    PIP_NO_INPUT: "1",
    // These do not go together with a target folder.
    PIP_USER: "0",
    PIP_REQUIRE_VIRTUALENV: "0",
    PIP_PREFIX: undefined,
    PIP_TARGET: undefined,
  };
  const quietly = ["-m", "pip", "install", "--quiet", "--target", folder, "pip"];
  await runProgram(python, quietly, { environment: settings, signal });
  return {
    run: (words, onLine) =>
      runProgram(python, ["-m", "pip", ...words], {
        environment: { ...settings, PYTHONPATH: folder },
        signal,
        ...(onLine && { onLine }),
      }),
  };
}

/** The wheels that hold TensorFlow's C library and, for a GPU, NVIDIA's; nothing is downloaded. */
export async function planWheels(pip: Pip, gpu: boolean): Promise<readonly Download[]> {
  const wanted = gpu
    ? `tensorflow[and-cuda]${tensorflowVersions}`
    : `tensorflow-cpu${tensorflowVersions}`;
  const report = await pip.run([
    ...["install", "--dry-run", "--quiet", "--report", "-", "--use-feature=fast-deps"],
    ...["--ignore-installed", "--target", "unused", ...wheelsFor],
    // Without a GPU the library needs nothing but itself.
    ...(gpu ? [wanted] : ["--no-deps", wanted]),
  ]);
  return parseReport(report);
}

/** The libraries among what pip's report lists; what only Python code needs is left out. */
export function parseReport(text: string): readonly Download[] {
  const start = text.indexOf("{");
  let report: { readonly install?: readonly Item[] };
  try {
    report = JSON.parse(text.slice(Math.max(start, 0)));
  } catch (cause) {
    throw new RunError("pip: expected a report in JSON, got something else", { cause });
  }
  const wheels = (report.install ?? []).flatMap(({ metadata, download_info }) =>
    /^(tensorflow([-_]cpu)?|nvidia[-_].*)$/i.test(metadata.name)
      ? [
          {
            name: metadata.name.replaceAll("_", "-"),
            version: metadata.version,
            url: download_info.url,
          },
        ]
      : [],
  );
  if (!wheels.some(({ name }) => name.startsWith("tensorflow"))) {
    throw new RunError("pip: expected a report with a wheel of tensorflow, got none");
  }
  return wheels;
}

interface Item {
  readonly metadata: { readonly name: string; readonly version: string };
  readonly download_info: { readonly url: string };
}

/** Downloads and unpacks the wheels. `onProgress` gets the file at hand and its share, 0 to 1. */
export async function installWheels(
  pip: Pip,
  wheels: readonly Download[],
  target: string,
  onProgress: (file: string, share: number) => void,
): Promise<void> {
  let file = "";
  await pip.run(
    [
      ...["install", "--no-deps", "--ignore-installed", "--no-compile", "--progress-bar", "raw"],
      ...["--target", target, ...wheelsFor],
      ...wheels.map(({ name, version }) => `${name}==${version}`),
    ],
    (line) => {
      const [, name] = /Downloading (\S+)/.exec(line) ?? [];
      const [, done, all] = /Progress (\d+) of (\d+)/.exec(line) ?? [];
      if (name !== undefined) file = name;
      if (name !== undefined) onProgress(file, 0);
      if (done !== undefined) onProgress(file, Number(done) / Math.max(1, Number(all)));
    },
  );
}
