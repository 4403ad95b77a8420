import { pixelsOf } from "@dino/data/browser";
import { expect, onTestFinished, test } from "vitest";

test("a frame of the camera becomes pixels, and a later one others", async () => {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240 } });
  onTestFinished(() => {
    for (const track of stream.getTracks()) track.stop();
  });
  const video = Object.assign(document.createElement("video"), { muted: true, srcObject: stream });
  await video.play();
  const frame = async () => {
    const bitmap = await createImageBitmap(video);
    onTestFinished(() => bitmap.close());
    return pixelsOf(bitmap);
  };
  const first = await frame();
  expect([first.width, first.height, first.data.length]).toEqual([320, 240, 3 * 320 * 240]);
  expect(new Set(first.data).size).toBeGreaterThan(3); // it shows something
  await expect.poll(async () => (await frame()).data).not.toEqual(first.data);
});
