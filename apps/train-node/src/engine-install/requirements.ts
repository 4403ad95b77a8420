import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { RunError } from "../errors.ts";
import { runProgram } from "./run-program.ts";

/** The programs that an installation is made with. */
export interface Tools {
  readonly python: string;
  /** The folder whose `include/node` has this Node's headers; nothing where there is none. */
  readonly nodeHeaders: string | undefined;
}

/** What the machine and this process are. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  /** Version of glibc; nothing where there is another C library. */
  readonly glibc: string | undefined;
}

/** Throws unless there are wheels of TensorFlow for such a machine that hold its C library. */
export function assertSupported({ platform, arch, glibc }: Machine): void {
  if (platform !== "linux" || arch !== "x64") {
    throw new RunError(
      `tensorflow: expected Linux on x64, which its libraries are packed for, got ${platform} on ${arch}; elsewhere try npm i @tensorflow/tfjs-node`,
    );
  }
  if (glibc === undefined) {
    throw new RunError("tensorflow: expected a Linux with glibc, got one with another C library");
  }
}

/** This machine. */
export function thisMachine(): Machine {
  const report = process.report?.getReport() as
    | { readonly header?: { readonly glibcVersionRuntime?: string } }
    | undefined;
  return {
    platform: process.platform,
    arch: process.arch,
    glibc: report?.header?.glibcVersionRuntime,
  };
}

/** What each program is for, and how Debian and Ubuntu call the package that has it. */
const needed: readonly (readonly [program: string, use: string, debian: string])[] = [
  ["g++", "compiles the addon", "g++"],
  ["make", "compiles the addon", "make"],
  ["npm", "fetches and builds @tensorflow/tfjs-node", "npm"],
];

/** Finds the programs, or says in one sentence which is missing and how to get it. */
export async function findTools(
  python: string,
  environment: Readonly<Record<string, string | undefined>>,
  signal?: AbortSignal,
): Promise<Tools> {
  const options = { environment, ...(signal && { signal }) };
  const works = async (program: string, ...words: string[]) => {
    try {
      await runProgram(program, words, options);
      return true;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof RunError || (error as NodeJS.ErrnoException).code !== undefined) {
        return false;
      }
      throw error;
    }
  };
  if (!(await works(python, "--version"))) {
    throw new RunError(
      `${python}: expected a Python 3 that runs, got none; install it (apt-get install python3 python3-pip) or name another with --python`,
    );
  }
  if (!(await works(python, "-m", "pip", "--version"))) {
    throw new RunError(
      `${python}: expected a Python with pip, got none; install it (apt-get install python3-pip) or name another with --python`,
    );
  }
  for (const [program, use, debian] of needed) {
    if (await works(program, "--version")) continue;
    throw new RunError(
      `${program}: expected the program that ${use}, got none on PATH; install it (apt-get install ${debian})`,
    );
  }
  return { python, nodeHeaders: nodeHeaders() };
}

/** The folder of this Node, where its headers came with it and are its own. */
export function nodeHeaders(
  executable: string = process.execPath,
  version: string = process.version,
): string | undefined {
  const root = dirname(dirname(executable));
  const file = join(root, "include", "node", "node_version.h");
  if (!existsSync(file)) return undefined;
  const [, major] = /#define NODE_MAJOR_VERSION (\d+)/.exec(readFileSync(file, "utf8")) ?? [];
  return version.startsWith(`v${major}.`) ? root : undefined;
}
