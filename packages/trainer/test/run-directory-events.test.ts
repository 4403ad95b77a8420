import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { crc32c, maskedCrc32c } from "../src/run-directory/crc32c.ts";
import { encodeEvent, stepOfEvent } from "../src/run-directory/event.ts";
import { createEventFile, cutEventFiles, eventFiles } from "../src/run-directory/event-file.ts";
import { decodeRecords, encodeRecord } from "../src/run-directory/tf-record.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dino-events-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const bytes = (text: string) => new TextEncoder().encode(text);
const hex = (data: Uint8Array) => Buffer.from(data).toString("hex");

/** The steps of the events that lie in the folder, file after file. */
const storedSteps = () =>
  eventFiles(folder).map((name) =>
    [...decodeRecords(readFileSync(join(folder, name)))].map(({ data }) => stepOfEvent(data)),
  );

test("computes the checksums that RFC 3720 gives", () => {
  expect(crc32c(bytes("123456789"))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
});

test("masks a checksum by a rotation and a constant", () => {
  const crc = 0x8a9136aa;
  const rotated = ((crc >>> 15) | (crc << 17)) >>> 0;
  expect(maskedCrc32c(new Uint8Array(32))).toBe((rotated + 0xa282ead8) % 2 ** 32);
});

test("writes an event as protobuf has it", () => {
  const event = encodeEvent({ wallTime: 1.5, step: 300, says: { a: 1 } });
  const wallTime = "09000000000000f83f";
  const step = "10ac02"; // 300 in seven-bit groups
  const summary = "2a0a0a080a0161150000803f"; // one value: tag "a", simple_value 1
  expect(hex(event)).toBe(wallTime + step + summary);
});

test("writes the file's version and a run that goes on", () => {
  const version = encodeEvent({ wallTime: 0, step: 0, says: "version" });
  expect(hex(version.subarray(11))).toBe(`1a0d${hex(bytes("brain.Event:2"))}`);
  const restart = encodeEvent({ wallTime: 0, step: 1, says: "restart" });
  expect(hex(restart.subarray(11))).toBe("3a020801");
});

test.each([0, 1, 127, 128, 300, 2 ** 31, 2 ** 40 + 5])("reads step %d back", (step) => {
  expect(stepOfEvent(encodeEvent({ wallTime: 1e9, step, says: { loss: 2 } }))).toBe(step);
});

test("reads records back, and stops at one that was cut short or does not check", () => {
  const records = [bytes("first"), new Uint8Array(0), bytes("third")].map(encodeRecord);
  const file = Buffer.concat(records);
  expect([...decodeRecords(file)].map(({ data }) => Buffer.from(data).toString())).toEqual([
    "first",
    "",
    "third",
  ]);
  expect([...decodeRecords(file.subarray(0, file.length - 1))]).toHaveLength(2);
  file[12] = (file[12] as number) ^ 1;
  expect([...decodeRecords(file)]).toHaveLength(0);
});

test("cuts files back to a step, and marks where the next one goes on", () => {
  const first = createEventFile(folder);
  for (const step of [1, 2, 3]) first.scalars(step, { loss: step });
  first.close();
  cutEventFiles(folder, 2);
  const second = createEventFile(folder, 2);
  second.scalars(3, { loss: 30 });
  second.close();
  expect(storedSteps()).toEqual([
    [0, 1, 2],
    [0, 3, 3],
  ]);
  cutEventFiles(folder, 1);
  expect(storedSteps()).toEqual([[0, 1], [0]]);
});

test("cuts off what a crash left unfinished", () => {
  const file = createEventFile(folder);
  file.scalars(1, { loss: 1 });
  file.close();
  const [name] = eventFiles(folder) as [string];
  const path = join(folder, name);
  const whole = readFileSync(path);
  writeFileSync(path, Buffer.concat([whole, whole.subarray(0, 20)]));
  cutEventFiles(folder, 10);
  expect(readFileSync(path)).toEqual(whole);
});
