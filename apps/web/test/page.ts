import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { type PreviewServer, preview } from "vite";
import { afterAll, beforeAll, describe } from "vitest";

const root = resolve(import.meta.dirname, "..");

/** How long something may take on a machine that is busy with other things, in milliseconds. */
const patience = 120_000;

/** A page of the app, and what went wrong in it. */
export interface Visit {
  readonly page: Page;
  /** What the console and uncaught errors said. */
  readonly complaints: readonly string[];
  /** Everything that was asked of a server. */
  readonly requests: readonly Request[];
}

export interface Request {
  readonly method: string;
  readonly url: string;
  readonly body: string | null;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds that the thread was computing, others' turns not counted. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/**
 * The longest that a page's own thread was busy at a stretch while `use` ran, in milliseconds of
 * its own computing: what other programs took meanwhile is not its fault.
 */
export async function longestTask(page: Page, use: () => Promise<void>): Promise<number> {
  const browser = page.context().browser() as Browser;
  await browser.startTracing(page, { categories: ["toplevel", "__metadata"] });
  await use();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
    readonly traceEvents: readonly TraceEvent[];
  };
  const isMain = (event: TraceEvent) =>
    event.name === "thread_name" && event.args.name === "CrRendererMain";
  const threads = new Set(traceEvents.filter(isMain).map(({ pid, tid }) => `${pid} ${tid}`));
  const tasks = traceEvents.filter(
    ({ name, ph, pid, tid }) =>
      name.endsWith("RunTask") && ph === "X" && threads.has(`${pid} ${tid}`),
  );
  if (tasks.length === 0) throw new Error("trace: expected tasks of the page's thread, got none");
  return tasks.reduce((longest, { tdur = 0 }) => Math.max(longest, tdur / 1000), 0);
}

interface OpenOptions extends BrowserContextOptions {
  /** Put before the script of the first room's worker. */
  readonly beforeLookWorker?: string;
}

export interface App {
  /** Opens a room, or another address, in a fresh profile. */
  open(hash: string, options?: OpenOptions): Promise<Visit>;
  /** Where the app is served. */
  readonly address: string;
}

/** What starts Chromium with WebGPU on the software GPU that comes with it. */
export const softwareGpu = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

/**
 * Tests of the built app in Chromium, started with these arguments. Without one they are skipped,
 * and with `CI=true` they fail.
 */
export function inBrowser(
  name: string,
  define: (app: App) => void,
  flags: readonly string[] = [],
): void {
  const executablePath = process.env.DINO_CHROMIUM;
  const skipped = executablePath === undefined && process.env.CI !== "true";
  describe.skipIf(skipped)(name, { timeout: 5 * patience }, () => {
    let browser: Browser | undefined;
    let server: PreviewServer | undefined;

    beforeAll(async () => {
      if (executablePath === undefined)
        throw new Error("browser tests: expected a Chromium, got none");
      if (!existsSync(resolve(root, "dist/index.html"))) {
        throw new Error("apps/web/dist: expected the built app, got none; run npm run build:web");
      }
      const args = [
        "--no-sandbox",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        ...flags,
      ];
      browser = await chromium.launch({ executablePath, args });
      server = await preview({
        root,
        logLevel: "error",
        preview: { port: 4180, strictPort: false },
      });
    });
    afterAll(async () => {
      await browser?.close();
      await server?.close();
    });

    const app: App = {
      get address() {
        return server?.resolvedUrls?.local[0] ?? "";
      },
      open: async (hash, { beforeLookWorker, ...options } = {}) => {
        const context = await (browser as Browser).newContext(options);
        if (beforeLookWorker !== undefined) {
          await context.route("**/look-worker*.js", async (route) => {
            const response = await route.fetch();
            await route.fulfill({ response, body: beforeLookWorker + (await response.text()) });
          });
        }
        return visit(await context.newPage(), new URL(hash, app.address).href);
      },
    };
    define(app);
  });
}

async function visit(page: Page, address: string): Promise<Visit> {
  const complaints: string[] = [];
  const requests: Request[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.context().on("request", (request) => {
    requests.push({ method: request.method(), url: request.url(), body: request.postData() });
  });
  page.setDefaultTimeout(patience);
  await page.goto(address);
  return { page, complaints, requests };
}

/** What a canvas shows. */
export function pixelsOf(page: Page, selector: string): Promise<string> {
  return page.locator(selector).evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
}
