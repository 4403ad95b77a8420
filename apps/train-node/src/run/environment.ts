import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import * as tf from "@tensorflow/tfjs-core";
import type { Engine } from "./engine.ts";

/** The version of this program. */
export function version(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

/** What a run ran on: everything that may explain why it went otherwise elsewhere. */
export function environmentJson({ name, line, precision }: Engine): string {
  const environment = {
    startedAt: new Date().toISOString(),
    dino: version(),
    node: process.version,
    tfjs: tf.version_core,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryBytes: totalmem(),
    backend: name,
    engine: line,
    precision,
    command: process.argv.slice(2),
  };
  return `${JSON.stringify(environment, null, 2)}\n`;
}
