import { expect, test } from "vitest";
import { BufferPool } from "../src/buffer-pool.ts";

/** A device whose buffers are nothing but their sizes; and which of them are gone. */
function madeUpDevice() {
  const destroyed: number[] = [];
  return {
    destroyed,
    limits: { maxBufferSize: 3e6, maxStorageBufferBindingSize: 2e6 },
    createBuffer: ({ size, usage }: { size: number; usage: number }) =>
      ({ size, usage, destroy: () => destroyed.push(size) }) as unknown as GPUBuffer,
  };
}

test("gives the same buffers to one who takes and gives back in the same order", () => {
  const pool = new BufferPool(madeUpDevice());
  const step = (last: "first" | "second") => {
    const [a, b] = [pool.acquireBuffer(64, 1), pool.acquireBuffer(64, 1)];
    const c = pool.acquireBuffer(32, 1);
    const order = last === "first" ? [b, c, a] : [a, b, c];
    for (const buffer of order) pool.releaseBuffer(buffer);
    return [a, b, c];
  };
  const first = step("first");
  expect(step("second")).toEqual(first);
  const third = step("first");
  third.forEach((buffer, i) => {
    expect(buffer).toBe(first[i]);
  });
  expect(pool.getNumFreeBuffers()).toBe(3);
  expect(pool.acquireBuffer(64, 2)).not.toBe(first[0]);
});

test("counts bytes, and destroys what is not to be used again", () => {
  const device = madeUpDevice();
  const pool = new BufferPool(device);
  const [kept, gone] = [pool.acquireBuffer(64, 1), pool.acquireBuffer(16, 1, true, false)];
  expect([pool.numBytesUsed, pool.numBytesAllocated, pool.getNumUsedBuffers()]).toEqual([
    80, 80, 2,
  ]);
  pool.releaseBuffer(kept);
  pool.releaseBuffer(gone, false);
  expect(device.destroyed).toEqual([16]);
  expect([pool.numBytesUsed, pool.numBytesAllocated]).toEqual([0, 64]);
  expect(() => pool.releaseBuffer(gone)).toThrow("expected one of this pool, got another");
  pool.dispose();
  expect(device.destroyed).toEqual([16, 64]);
  expect(() => pool.releaseBuffer(kept)).not.toThrow();
  expect(pool.numBytesAllocated).toBe(0);
});

test("gives back to the device what nobody has taken for long", () => {
  const device = madeUpDevice();
  const pool = new BufferPool(device);
  pool.releaseBuffer(pool.acquireBuffer(1000, 1));
  for (let i = 0; i < 20_000; i++) pool.releaseBuffer(pool.acquireBuffer(8, 1));
  expect(device.destroyed).toEqual([1000]);
  expect(pool.numBytesAllocated).toBe(8);
});

test("refuses what is larger than any buffer, and says how much the device was asked for", () => {
  const pool = new BufferPool(madeUpDevice());
  expect(() => pool.acquireBuffer(3e6, 1)).toThrow(
    "WebGPU: expected a tensor of at most 2 MB, which is as much as the adapter binds, got one of 3 MB",
  );
  pool.acquireBuffer(2e6, 1);
  pool.acquireBuffer(1e6, 1);
  expect(pool.numBytesAllocated).toBe(3e6);
  expect(pool.outOfMemory()).toBe(
    "out of memory: expected room for 3 MB in buffers, the last of 1 MB; take a smaller batch or model",
  );
});
