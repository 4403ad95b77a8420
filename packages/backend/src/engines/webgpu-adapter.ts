/** The parts of WebGPU that choosing an adapter needs. */
export interface Gpu {
  requestAdapter(options: { readonly powerPreference: string }): Promise<Adapter | null>;
}

export interface Adapter {
  readonly info?: AdapterInfo;
  /** Where older browsers tell it. */
  readonly isFallbackAdapter?: boolean;
}

export interface AdapterInfo {
  readonly vendor?: string;
  readonly architecture?: string;
  readonly device?: string;
  readonly description?: string;
  readonly isFallbackAdapter?: boolean;
}

/** The adapter that tfjs would take. */
export function fastestAdapter(gpu: Gpu): Promise<Adapter | null> {
  return gpu.requestAdapter({ powerPreference: "high-performance" });
}

/** What people call the adapter: as much as it tells. */
export function adapterName({ info = {} }: Adapter): string {
  const { vendor, architecture, device, description } = info;
  const name = description || device || [vendor, architecture].filter(Boolean).join(" ");
  return name || "unnamed adapter";
}

/**
 * Whether a CPU plays the adapter, which is slower than the engines made for CPUs. Not every
 * driver admits to it, so the known ones are recognised by name.
 */
export function isSoftware({ info = {}, isFallbackAdapter = false }: Adapter): boolean {
  if (isFallbackAdapter || info.isFallbackAdapter === true) return true;
  const names = [info.vendor, info.architecture, info.device, info.description].join(" ");
  return /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b|null-backend/i.test(names);
}
