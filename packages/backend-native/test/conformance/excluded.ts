/** Specs of tfjs-core's suite that do not run here, all whose names begin with one of `names`. */
export interface Exclusion {
  readonly names: readonly string[];
  readonly reason: string;
}

/**
 * Everything that does not run, and why. Beyond this list there is only what tfjs registers for
 * its backend `cpu` alone, by that name ("Switching cpu backends").
 */
export const excluded: readonly Exclusion[] = [
  {
    names: ["browserDownloads native {}"],
    reason: "clicks on links of a page to save a model",
  },
  {
    names: ["browserFiles native {}"],
    reason: "reads a model from files that a page's user picked, with FileReader",
  },
  {
    names: ["http-load native {}", "http-save native {}"],
    reason: "replaces the fetch of a browser's window; tfjs tests Node's as `http-load fetch`",
  },
  {
    names: ["IndexedDB native {}"],
    reason: "stores models in a browser's IndexedDB",
  },
  {
    names: [
      "LocalStorage native {}",
      "ModelManagement native {}",
      "IORouterRegistry native {} getLoadHandler succeeds",
      "IORouterRegistry native {} getSaveHandler succeeds",
    ],
    reason: "stores models in a browser's local storage",
  },
  {
    names: ["avgPool native {} gradient x=[3,3,1] f=[3,3] s=1 p=explicit"],
    reason:
      "wants every window's gradient divided by its whole size; that of the mean over what lies inside the picture, which tfjs and TensorFlow compute, is divided by that",
  },
  {
    names: ["draw on canvas context native {}"],
    reason: "draws on a page's canvas",
  },
  {
    names: [
      "fromPixels native {} ImageData",
      "fromPixels native {} canvas and image match",
      "fromPixels native {} fromPixels + fromPixels",
      "fromPixels native {} fromPixels for HTML",
      "fromPixels native {} fromPixels, ",
    ],
    reason: "reads a page's ImageData, canvas, images and videos",
  },
  {
    names: ["PlatformBrowser native {}", "setTimeout native {} setTimeout"],
    reason: "tests tfjs's platform for browsers: window.fetch, timers that are not throttled",
  },
  {
    names: [
      "debug on native {} A x B",
      "gradient registry native {} warning when registering the same gradient twice",
      "IS_BROWSER isBrowser",
      "kernel_registry native {} errors when registering the same kernel twice",
    ],
    reason: "tfjs itself has switched it off (xit)",
  },
];
