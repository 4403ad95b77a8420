import type { Page } from "playwright-core";
import sharp from "sharp";

/** A file as a person chooses it. */
export interface PictureFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

/** A picture file of flat shapes, given as SVG elements. */
export async function drawn(
  name: string,
  { width, height, shapes }: { width: number; height: number; shapes: string },
): Promise<PictureFile> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${shapes}</svg>`;
  const buffer = await sharp(Buffer.from(svg)).png().toBuffer();
  return { name, mimeType: "image/png", buffer };
}

/** Discs on grounds of many colours. */
export function discs(count: number): Promise<PictureFile[]> {
  return Promise.all(
    Array.from({ length: count }, (_, i) =>
      drawn(`disc-${i}.png`, {
        ...{ width: 64, height: 64 },
        shapes: `<rect width="64" height="64" fill="hsl(${40 * i},80%,50%)"/><circle cx="${16 + i}" cy="30" r="12" fill="#fff"/>`,
      }),
    ),
  );
}

/** Gives the visible room files by its button for them. */
export async function chooseFiles(page: Page, files: readonly PictureFile[]): Promise<void> {
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Files" }).filter({ visible: true }).click();
  await (await chooser).setFiles([...files]);
}

export const enter = (page: Page, room: "Look" | "Train" | "Compare") =>
  page.getByRole("navigation").getByRole("link", { name: room }).click();

/** The first room's picture, and when it is drawn. */
export const attention = '[data-testid="attention"]';
export const looked = `${attention}[data-state="done"]`;

/** Waits until the first room shows something other than before. */
export const looksOtherThan = (page: Page, before: string) =>
  page.waitForFunction(
    ([selector, old]) => {
      const canvas = document.querySelector(selector as string) as HTMLCanvasElement;
      return canvas.dataset.state === "done" && canvas.toDataURL() !== old;
    },
    [attention, before],
  );

/** When the third room has compared all pictures. */
export const compared = '[data-testid="grid"][data-state="done"]';

/** Where the second room's buttons are. */
export const controls = (page: Page) => page.getByTestId("controls");
export const button = (page: Page, name: string) =>
  controls(page).getByRole("button", { name, exact: true });

/** Waits until the run is "paused", or whatever else it is to be. */
export const reaches = (page: Page, phase: string) =>
  page.waitForSelector(`[data-testid="controls"][data-phase="${phase}"]`, { timeout: 300_000 });

export const stepOf = async (page: Page) => Number(await controls(page).getAttribute("data-step"));

/** Waits until the run has come so far. */
export async function reachesStep(page: Page, step: number): Promise<void> {
  await page.waitForFunction(
    (least) => {
      const controls = document.querySelector<HTMLElement>('[data-testid="controls"]');
      return Number(controls?.dataset.step) >= least;
    },
    step,
    { timeout: 300_000 },
  );
}
