import { parentPort, workerData } from "node:worker_threads";
import { createRender, type Sampling } from "../render.ts";
import type { Answer, Request } from "./renderer.ts";

/** The program of a worker thread: makes the crops that it is sent. */
const render = createRender(workerData as Sampling | undefined);

parentPort?.on("message", ({ id, job }: Request) => {
  const answer: Answer = { id };
  try {
    for (const _ of render(job));
    parentPort?.postMessage(answer);
  } catch (error) {
    parentPort?.postMessage({ ...answer, error });
  }
});
