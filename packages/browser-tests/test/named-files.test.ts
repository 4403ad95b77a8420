import {
  droppedFiles,
  folderFiles,
  imageFiles,
  type NamedFile,
  namedFiles,
} from "@dino/data/browser";
import { expect, inject, onTestFinished, test } from "vitest";

/** What lies in the folder of cats and dogs, as it is named below that. */
const inFolder = ["cats/1.png", "cats/deep/2.webp", "dogs/3.jpg", "dogs/broken.png", "notes.txt"];

const pathsOf = (files: readonly NamedFile[]) => files.map(({ path }) => path).sort();

function added<Kind extends keyof HTMLElementTagNameMap>(kind: Kind): HTMLElementTagNameMap[Kind] {
  const element = document.createElement(kind);
  document.body.append(element);
  onTestFinished(() => element.remove());
  return element;
}

test("a chosen folder's files know their place below it", async () => {
  const { userEvent } = await import("vitest/browser");
  const input = Object.assign(added("input"), { type: "file", webkitdirectory: true });
  await userEvent.upload(input, `${inject("folder")}/folder`);
  const files = namedFiles(input.files ?? []);
  expect(pathsOf(files)).toEqual(inFolder);
  const set = imageFiles(input.files ?? []);
  expect([set.length, set.classes]).toEqual([4, ["cats", "dogs"]]);
  expect([set.name(1), set.label(1)]).toEqual(["cats/deep/2.webp", 0]);
});

test("chosen files go by their names", async () => {
  const { userEvent } = await import("vitest/browser");
  const input = Object.assign(added("input"), { type: "file", multiple: true });
  await userEvent.upload(
    input,
    ["drawn.png", "folder/dogs/3.jpg"].map((name) => `${inject("folder")}/${name}`),
  );
  expect(pathsOf(namedFiles(input.files ?? []))).toEqual(["3.jpg", "drawn.png"]);
  expect(imageFiles(input.files ?? []).classes).toEqual([]);
});

/** Drops what lies on the machine's disk, as its file manager does. */
async function drop(names: readonly string[]): Promise<NamedFile[]> {
  const { cdp } = await import("vitest/browser");
  const place = added("div");
  Object.assign(place.style, { position: "fixed", inset: "0", background: "white" });
  place.addEventListener("dragover", (event) => event.preventDefault());
  const dropped = new Promise<NamedFile[]>((resolve, reject) => {
    place.addEventListener("drop", (event) => {
      event.preventDefault();
      droppedFiles(event.dataTransfer as DataTransfer).then(resolve, reject);
    });
  });
  const frame = (frameElement as HTMLElement | null)?.getBoundingClientRect();
  const at = { x: (frame?.x ?? 0) + 20, y: (frame?.y ?? 0) + 20 };
  const files = names.map((name) => `${inject("folder")}/${name}`);
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    const data = { items: [], files, dragOperationsMask: 1 };
    await cdp().send("Input.dispatchDragEvent", { type, ...at, data });
  }
  return dropped;
}

test("of one dropped folder, the files lie below it; of several things, each keeps its name", async () => {
  expect(pathsOf(await drop(["folder"]))).toEqual(inFolder);
  expect(pathsOf(await drop(["drawn.png", "folder/cats"]))).toEqual([
    "cats/1.png",
    "cats/deep/2.webp",
    "drawn.png",
  ]);
});

test("more entries of a dropped folder than a browser gives at a time", async () => {
  const files = await drop(["many"]);
  expect(files.length).toBe(130);
  expect(await files.find(({ path }) => path === "129.png")?.file.text()).toBe("129");
});

test("a folder handle's files are found however deep", async () => {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle("pictures", { create: true });
  onTestFinished(() => root.removeEntry("pictures", { recursive: true }));
  for (const path of inFolder) {
    const [name, ...folders] = path.split("/").reverse() as [string, ...string[]];
    let place = folder;
    for (const each of folders.reverse()) {
      place = await place.getDirectoryHandle(each, { create: true });
    }
    const stream = await (await place.getFileHandle(name, { create: true })).createWritable();
    await stream.write(path);
    await stream.close();
  }
  const files = await folderFiles(folder);
  expect(pathsOf(files)).toEqual(inFolder);
  expect(await files.find(({ path }) => path === "dogs/3.jpg")?.file.text()).toBe("dogs/3.jpg");
});
