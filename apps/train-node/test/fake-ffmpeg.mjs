#!/usr/bin/env node
// Stands in for ffmpeg where a machine has none: reads "videos" that are lists of colours, and
// writes how many bytes of pictures it was given.
import { readFileSync, writeFileSync } from "node:fs";

const words = process.argv.slice(2);
const input = words[words.indexOf("-i") + 1]?.replace(/^file:/, "");
const output = words.at(-1)?.replace(/^file:/, "");
const [width, height] = [24, 17];

if (words.includes("-version")) process.exit(0);
if (input === "-") {
  const pictures = [];
  for await (const chunk of process.stdin) pictures.push(chunk);
  const rate = words[words.indexOf("-framerate") + 1];
  writeFileSync(output, `${Buffer.concat(pictures).length} bytes at ${rate}`);
  process.exit(0);
}
const frames = readFileSync(input, "utf8").trim().split(/\s+/);
if (!frames.every((frame) => /^\d+$/.test(frame))) {
  process.stderr.write(`[in#0] Error opening input\nError opening input file ${input}.\n`);
  process.exit(183);
}
if (!words.includes("image2pipe")) {
  process.stderr.write(
    `  Duration: 00:00:00.${20 * frames.length}, start: 0.0\n` +
      "  Stream #0:0: Video: h264, yuv420p, 24x17, 5 fps, 5 tbr\nAt least one output file must be specified\n",
  );
  process.exit(1);
}
for (const frame of frames) {
  const pixels = Buffer.alloc(3 * width * height, Number(frame));
  for (let i = 0; i < pixels.length; i += 5) pixels[i] = i % 256;
  process.stdout.write(Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), pixels]));
}
