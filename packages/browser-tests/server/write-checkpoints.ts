import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Entries, streamPytorch, streamSafetensors, type TensorData } from "@dino/checkpoint";

/** Two tensors, of which either is far longer than what one request fetches. */
const large: Entries<TensorData> = Object.fromEntries(
  ["first", "second"].map((name, place) => {
    const data = Float32Array.from({ length: 300_000 }, (_, i) => i + place / 4);
    return [name, { dtype: "F32", shape: [300, 1000], data }];
  }),
);

/** Writes the same tensors as a safetensors file and as one of `torch.save`. */
export async function writeCheckpoints(folder: string): Promise<void> {
  await write(join(folder, "large.safetensors"), streamSafetensors(large));
  await write(join(folder, "large.pth"), streamPytorch(large));
}

async function write(path: string, parts: AsyncIterable<Uint8Array>): Promise<void> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part.slice());
  writeFileSync(path, Buffer.concat(all));
}
