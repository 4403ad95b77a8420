/** What the page cannot do without and this browser lacks, by the names that people look for. */
export function missing(): readonly string[] {
  const needs: Readonly<Record<string, boolean>> = {
    WebAssembly: "WebAssembly" in globalThis,
    "module workers": takesModules(),
    OffscreenCanvas: "OffscreenCanvas" in globalThis,
    createImageBitmap: "createImageBitmap" in globalThis,
  };
  return Object.keys(needs).filter((name) => !needs[name]);
}

/** A browser that knows workers of modules reads the option that asks for one. */
function takesModules(): boolean {
  if (!("Worker" in globalThis)) return false;
  let asked = false;
  const options = {
    get type(): WorkerType {
      asked = true;
      return "module";
    },
  };
  const empty = URL.createObjectURL(new Blob([], { type: "text/javascript" }));
  new Worker(empty, options).terminate();
  URL.revokeObjectURL(empty);
  return asked;
}
