import { imageTensor } from "@dino/ops";
import { expectNoLeak, namedValues, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";

onEveryBackend(
  () => {
    test.each([
      [2, 5, 7],
      [1, 1, 1],
      [1, 4, 4],
    ])("makes %i pictures of %i x %i bytes as the host does, to the bit", async (...shape) => {
      const length = 3 * shape.reduce((product, size) => product * size, 1);
      const data = Uint8Array.from(namedValues("bytes", length, 0, 256));
      const actual = await imageTensor(data, shape).data();
      expectNoLeak(() => imageTensor(data, shape));
      await tf.setBackend("cpu");
      const expected = imageTensor(data, shape);
      expect([...actual]).toEqual([...expected.dataSync()]);
      expected.dispose();
      await tf.setBackend("webgpu");
    });
  },
  { waits: true },
);
