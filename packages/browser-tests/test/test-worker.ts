import { startBackend } from "@dino/backend";
import { decodePicture } from "@dino/data/browser";
import type { Question } from "./ask-worker.ts";
import { geluLayer } from "./gelu-layer.ts";
import { trainSteps } from "./train-steps.ts";

async function answer(question: Question): Promise<unknown> {
  if ("decode" in question) return decodePicture(question.decode);
  if ("engine" in question) {
    const { engine, threads } = question;
    return { line: await startBackend(engine, { threads }), results: await geluLayer() };
  }
  if ("steps" in question) return trainSteps(question);
  const [folderName, name] = question.writeForever;
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle(folderName);
  const stream = await (await folder.getFileHandle(name, { create: true })).createWritable();
  await stream.write(new Uint8Array(1000));
  return "half written";
}

addEventListener("message", async ({ data }: MessageEvent<Question>) => {
  try {
    postMessage({ answer: await answer(data) });
  } catch (error) {
    postMessage({ error: String(error) });
  }
});
