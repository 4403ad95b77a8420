import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  CheckpointError,
  decodeNpy,
  numpyGlobals,
  openCheckpoint,
  openSafetensors,
  pythonGlobals,
  readPickle,
} from "@dino/checkpoint";
import { DataError } from "@dino/data";
import { readImage } from "@dino/data/node";
import { decodeLabelPng } from "@dino/visualization";

const corpus = resolve(import.meta.dirname, "../../packages/testing/corpus");

/** What a view may be made to repeat, in bytes of its widest elements; see the reader of views. */
const mostRepeated = 8 * 2 ** 20;

/** Pieces of pickles: every road to a function, and what builds and shares values. */
const pickleTokens = [
  ...["cos\nsystem\n", "cposix\nsystem\n", "cbuiltins\neval\n", "cbuiltins\ngetattr\n"],
  ...["cnt\nsystem\n", "csubprocess\nPopen\n", "ctorch.hub\nload\n", "c__main__\nx\n"],
  ...[
    "X\x04\0\0\0true",
    "X\x09\0\0\0__proto__",
    "X\x0b\0\0\0constructor",
    "\x8c\x02os\x8c\x06system\x93",
  ],
  ...[
    "cargparse\nNamespace\n",
    "ccollections\nOrderedDict\n",
    "cbuiltins\nset\n",
    "c_codecs\nencode\n",
  ],
  ...["ctorch._utils\n_rebuild_tensor_v2\n", "ctorch._utils\n_rebuild_parameter\n"],
  ...[
    "cnumpy._core.multiarray\n_reconstruct\n",
    "cnumpy.core.multiarray\nscalar\n",
    "cnumpy\ndtype\n",
  ],
  ...["ctorch\nFloatStorage\n", "ctorch\nDoubleStorage\n", "ctorch\nBoolStorage\n"],
  ...["R", ")R", "\x85R", "tR", "\x81", "\x92", "b", "}b", "Q", "0", "1", "2", "(", ")", "]", "}"],
  ...["t", "l", "d", "a", "e", "s", "u", "\x85", "\x86", "\x87", "\x8f", "\x90", "\x91", "\x94"],
  ...[
    "q\0",
    "h\0",
    "q\x01",
    "h\x01",
    "j\0\0\0\0",
    "N",
    "\x88",
    "\x89",
    ".",
    "K\0",
    "K\xff",
    "M\xff\xff",
  ],
  ...["J\xff\xff\xff\x7f", "J\xff\xff\xff\xff", "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f"],
  ...[
    "\x8a\x08\0\0\0\0\0\0\x10\0",
    "B\0\0\0\0",
    "\x96\xff\xff\xff\xff\0\0\0\0",
    "I01\n",
    "G\x7f\xf0\0\0\0\0\0\0",
  ],
];

const jsonTokens = [
  ...["{", "}", "[", "]", ",", ":", '"', "\\", "0", "-1", "1e9", "9007199254740993", "null"],
  ...['"F64"', '"BF16"', '"F8_E4M3"', '"dtype"', '"shape"', '"data_offsets"', '"__metadata__"'],
  ...['"__proto__"', "[0,0]", "[4294967296,4294967296]", "\\ud800", " "],
];

const npyTokens = [
  ...["(", ")", ",", "'", "True", "False", "'<f8'", "'|u1'", "'<i8'", "'|O'", "'>f4'", "-1"],
  ...["99999999999999", "'descr'", "'shape'", "'fortran_order'", "\x93NUMPY", "\n"],
];

const bytesTokens = [
  "\0\0\0\0",
  "\xff\xff\xff\xff",
  "IHDR",
  "PLTE",
  "IDAT",
  "IEND",
  "\xff\xd8\xff",
];

/** What reads a kind of file, and what it is given. `isOurs` tells a refusal from a fault. */
export function fuzzedKinds() {
  const folder = mkdtempSync(join(tmpdir(), "dino-fuzz-"));
  const isCheckpointError = (error) => error instanceof CheckpointError;
  const kinds = {
    zip: {
      seeds: seeds("pth", /^(zip|training)/),
      tokens: pickleTokens,
      read: (bytes) => readAll(bytes, openCheckpoint),
      isOurs: isCheckpointError,
    },
    legacy: {
      seeds: seeds("pth", /^legacy/),
      tokens: pickleTokens,
      read: (bytes) => readAll(bytes, openCheckpoint),
      isOurs: isCheckpointError,
    },
    pickle: {
      seeds: seeds("pickle", /./),
      tokens: pickleTokens,
      read: (bytes) => JSON.stringify(readPickle(bytes, { globals: pickleGlobals }), replacer),
      isOurs: isCheckpointError,
    },
    safetensors: {
      seeds: seeds("safetensors", /./),
      tokens: jsonTokens,
      read: (bytes) => readAll(bytes, openSafetensors),
      isOurs: isCheckpointError,
    },
    npy: {
      seeds: seeds("npy", /./),
      tokens: npyTokens,
      read: (bytes) => assertElements(decodeNpy(bytes), bytes.length),
      isOurs: isCheckpointError,
    },
    masks: {
      seeds: seeds("images", /\.png$/),
      tokens: bytesTokens,
      read: (bytes) => assertPixels(decodeLabelPng(bytes, "mask.png"), 1),
      isOurs: (error) => error instanceof RangeError && error.message.startsWith("mask.png: "),
    },
    pictures: {
      seeds: seeds("images", /./),
      tokens: bytesTokens,
      async read(bytes) {
        const path = join(folder, "picture");
        writeFileSync(path, bytes);
        assertPixels(await readImage(path), 3);
      },
      isOurs: (error) => error instanceof DataError,
    },
  };
  return { kinds, dispose: () => rmSync(folder, { recursive: true, force: true }) };
}

const pickleGlobals = new Map([...pythonGlobals, ...numpyGlobals]);

function seeds(kind, pattern) {
  const names = readdirSync(join(corpus, kind)).filter((name) => pattern.test(name));
  return names.sort().map((name) => new Uint8Array(readFileSync(join(corpus, kind, name))));
}

/** Opens it, reads every tensor, and prints the rest. */
async function readAll(bytes, open) {
  const checkpoint = await open({
    size: bytes.length,
    read: async (offset, length) => {
      if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length)) {
        throw new Error(`asked for ${length} bytes at ${offset} of ${bytes.length}`);
      }
      return bytes.slice(offset, offset + length);
    },
  });
  JSON.stringify(checkpoint.data, replacer);
  for (const name of checkpoint.tensors.keys()) {
    assertElements(await checkpoint.read(name), bytes.length);
  }
}

function assertElements({ shape, data }, fileSize) {
  const count = shape.reduce((a, b) => a * b, 1);
  if (data.length !== count) throw new Error(`${data.length} elements for [${shape}]`);
  const most = Math.max(2 * fileSize, mostRepeated); // halves are widened
  if (data.byteLength > most) throw new Error(`${data.byteLength} bytes of a file of ${fileSize}`);
}

function assertPixels({ width, height, data }, channels) {
  if (data.length === width * height * channels) return;
  throw new Error(`${data.length} bytes for ${width} x ${height} pixels`);
}

function replacer(_, value) {
  return typeof value === "bigint" ? String(value) : value;
}
