import { createRequire } from "node:module";
import { firstLine } from "../../select-engine.ts";

/** A package that may be absent. */
export type OptionalPackage<T> =
  | { readonly module: T; readonly reason?: never }
  | { readonly module?: never; readonly reason: string };

/** The package, or why there is none. */
export async function optionalPackage<T>(name: string): Promise<OptionalPackage<T>> {
  try {
    return { module: (await import(/* @vite-ignore */ name)) as T };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const missing = code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND";
    if (missing && message.includes(`'${name}'`)) return { reason: "not installed" };
    return { reason: `does not load: ${firstLine(error)}` };
  }
}

/** Whether a CommonJS package is there, without loading it. */
export function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}
