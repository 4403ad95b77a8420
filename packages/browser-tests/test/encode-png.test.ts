import { decodePicture } from "@dino/data/browser";
import { encodePng } from "@dino/visualization";
import { expect, test } from "vitest";
import { drawn } from "./drawn.ts";

test("a picture that is encoded in a page is read back to the byte", async () => {
  const picture = drawn(31, 17);
  const png = (await encodePng(picture)) as Uint8Array<ArrayBuffer>;
  expect(await decodePicture(new Blob([png], { type: "image/png" }))).toEqual(picture);
});
