import { parentPort } from "node:worker_threads";
import { render } from "./render.ts";
import type { Answer, Request } from "./renderer.ts";

/** The program of a worker thread: makes the crops that it is sent. */
parentPort?.on("message", ({ id, job }: Request) => {
  const answer: Answer = { id };
  try {
    render(job);
    parentPort?.postMessage(answer);
  } catch (error) {
    parentPort?.postMessage({ ...answer, error });
  }
});
