/** A device with what the adapter can give, and what it runs on. */
export interface Device {
  readonly device: GPUDevice;
  readonly info: GPUAdapterInfo | undefined;
}

declare const navigator: { readonly gpu?: GPU };

/** Limits that are raised to what the adapter has: large batches need large buffers. */
const limits = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupsPerDimension",
] as const;

/** What is asked for where the adapter has it: tfjs measures kernels by time stamps. */
const features: readonly GPUFeatureName[] = ["timestamp-query", "bgra8unorm-storage"];

/** A device of the fastest adapter. An Error where there is none. */
export async function requestDevice(): Promise<Device> {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new Error("WebGPU: expected an adapter, got none");
  const device = await adapter.requestDevice({
    requiredFeatures: features.filter((name) => adapter.features.has(name)),
    requiredLimits: Object.fromEntries(limits.map((name) => [name, adapter.limits[name]])),
  });
  const { info } = adapter as GPUAdapter & { readonly info?: GPUAdapterInfo };
  return { device, info };
}
