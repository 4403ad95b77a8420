import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * What makes PyTorch's allocator keep its memory and take it in large pages: fresh pages cost it a
 * tenth of a step. Of effect where the C library is glibc, and left alone elsewhere.
 */
const tuned = {
  MALLOC_MMAP_THRESHOLD_: "4294967296",
  MALLOC_TRIM_THRESHOLD_: "17179869184",
  MALLOC_TOP_PAD_: "268435456",
  GLIBC_TUNABLES: "glibc.malloc.hugetlb=1",
};

/** PyTorch as the peer. An error that says what to install where it cannot be imported. */
export function findPeer({ python, threads }) {
  const program = "import json, torch; print(json.dumps(torch.__version__))";
  try {
    const stdio = ["ignore", "pipe", "pipe"];
    const output = execFileSync(python, ["-c", program], { encoding: "utf8", stdio });
    return { python, threads, environment: tuned, version: JSON.parse(output) };
  } catch (error) {
    const got = String(error.stderr || error.message)
      .trim()
      .split("\n")
      .at(-1);
    throw new Error(
      `torch: expected to be importable by ${python} (--python), got ${got}; to have it: ` +
        "python3 -m venv torch-venv && torch-venv/bin/pip install torch, " +
        "then --python torch-venv/bin/python; or --no-peer to go without",
      { cause: error },
    );
  }
}

/** The peer's configurations of a step, of which the fastest counts. */
export function peerContenders({ python, threads, environment }, { sizes, precision, compile }) {
  const script = fileURLToPath(new URL("../peers/train_step.py", import.meta.url));
  return [false, ...(compile ? [true] : [])].flatMap((compiled) =>
    [false, true].map((sdpa) => ({
      name: ["torch", sdpa && "sdpa", compiled && "compile"].filter(Boolean).join(" "),
      peer: true,
      command: python,
      args: [script, JSON.stringify({ sizes, precision, sdpa, compile: compiled, threads })],
      environment,
    })),
  );
}
