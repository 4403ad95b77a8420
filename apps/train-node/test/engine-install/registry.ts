import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A registry of npm on loopback that also knows the sizes of wheels. */
export interface Registry {
  readonly url: string;
  /** The paths that were asked for. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** A package that the registry has: its manifest and its files' texts by their paths. */
interface Package {
  readonly manifest: Readonly<Record<string, unknown>> & {
    readonly name: string;
    readonly version: string;
  };
  readonly files?: Readonly<Record<string, string>>;
}

/** What stands in for a second copy of tfjs: the one that is loaded has to be taken instead. */
const secondCopy = "throw new Error('a second copy of tfjs');";

/** Builds only where TensorFlow lies as the real one expects it. */
const build = `
  const { existsSync, mkdirSync, writeFileSync } = require("node:fs");
  const needed = ["include/tensorflow/c/c_api.h", "lib/libtensorflow.so", "lib/libtensorflow_framework.so"];
  for (const file of needed) if (!existsSync("deps/" + file)) throw new Error(file + " is missing");
  if (!existsSync("deps/lib/libtensorflow.so.2.9.1")) throw new Error("would download");
  if (process.env.npm_config_build_from_source !== "true") throw new Error("would download the addon");
  if (!process.env.npm_config_nodedir) throw new Error("would download headers");
  if (process.env.TEST_BUILD === "fails") throw new Error("g++ is confused");
  if (process.env.TEST_BUILD === "hangs") { console.error("building"); setInterval(() => {}, 1000); }
  else {
    mkdirSync("lib/napi-v8", { recursive: true });
    mkdirSync("build-tmp-napi-v8");
    writeFileSync("lib/napi-v8/tfjs_binding.node", "addon");
  }
`;

/** The backend cpu under another name, which refuses an addon that was damaged. */
const backend = `
  const { readFileSync } = require("node:fs");
  const addon = readFileSync(__dirname + "/lib/napi-v8/tfjs_binding.node", "utf8");
  if (addon !== "addon") throw new Error("tfjs_binding.node: invalid ELF header");
  const tf = require("@tensorflow/tfjs-core");
  const { MathBackendCPU } = require("@tensorflow/tfjs-backend-cpu");
  const backend = Object.assign(new MathBackendCPU(), { isUsingGpuDevice: true, binding: { TF_Version: "2.21.0" } });
  backend.firstUse = false;
  tf.registerBackend("tensorflow", () => backend, 3);
  tf.copyRegisteredKernels("cpu", "tensorflow");
  tf.setBackend("tensorflow");
`;

const packages: readonly Package[] = [
  {
    manifest: {
      name: "@tensorflow/tfjs-node",
      version: "4.22.0",
      main: "index.js",
      dependencies: { "@tensorflow/tfjs-core": "4.22.0", "@tensorflow/tfjs-backend-cpu": "4.22.0" },
      scripts: { install: "node build.js" },
    },
    files: { "index.js": backend, "build.js": build },
  },
  ...["core", "backend-cpu"].map((name) => ({
    manifest: {
      name: `@tensorflow/tfjs-${name}`,
      version: "4.22.0",
      main: `dist/tf-${name}.node.js`,
    },
    files: { [`dist/tf-${name}.node.js`]: secondCopy },
  })),
  {
    // Asked for where the headers of Node do not lie beside it.
    manifest: {
      name: `node-${process.platform}-${process.arch}`,
      version: `${process.versions.node.split(".")[0]}.0.0`,
    },
  },
];

/** Serves the packages above, and wheels of a thousand bytes. */
export async function startRegistry(): Promise<Registry> {
  const asked: string[] = [];
  const tarballs = new Map(packages.map((each) => [each.manifest.name, pack(each)]));
  let url = "";
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? "");
    asked.push(path);
    const body = answer(path);
    response.writeHead(body === undefined ? 404 : 200, { "content-length": body?.length ?? 0 });
    response.end(request.method === "HEAD" ? undefined : body);
  });
  const answer = (path: string): Buffer | undefined => {
    if (path.startsWith("/wheels/")) return Buffer.alloc(1000);
    const isTarball = path.endsWith(".tgz");
    const name = path.slice(1, isTarball ? -".tgz".length : undefined);
    const tarball = tarballs.get(name);
    const manifest = packages.find((each) => each.manifest.name === name)?.manifest;
    if (isTarball || tarball === undefined || manifest === undefined) return tarball;
    const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
    const dist = { tarball: `${url}/${name}.tgz`, integrity };
    const { version } = manifest;
    const versions = { [version]: { ...manifest, dist } };
    return Buffer.from(JSON.stringify({ name, "dist-tags": { latest: version }, versions }));
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function pack({ manifest, files = {} }: Package): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "dino-package-"));
  try {
    const all = { ...files, "package.json": JSON.stringify(manifest) };
    for (const [path, text] of Object.entries(all)) {
      const file = join(folder, "package", path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    const { status } = spawnSync("tar", ["-czf", "package.tgz", "package"], { cwd: folder });
    if (status !== 0) throw new Error(`tar: expected an archive, got exit code ${status}`);
    return readFileSync(join(folder, "package.tgz"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
