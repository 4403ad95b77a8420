import type { Pixels } from "@dino/ops";
import { inject } from "vitest";

/** A file of the server's, as a person would have it on their disk. */
export async function fileOf(name: string): Promise<File> {
  const response = await fetch(`${inject("host")}/open/${name}`);
  if (!response.ok) throw new Error(await response.text());
  return new File([await response.blob()], name.split("/").at(-1) as string);
}

/** What Node answers: the crops it makes, the views it shows. */
export async function node<Answer>(question: string): Promise<Answer> {
  const response = await fetch(`${inject("host")}/${question}`);
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as Answer;
}

/** A picture file's pixels as Node reads them. */
export async function decodedByNode(name: string): Promise<Pixels> {
  const { width, height, data } = await node<{ width: number; height: number; data: number[] }>(
    `decoded/${name}`,
  );
  return { width, height, data: Uint8Array.from(data) };
}
