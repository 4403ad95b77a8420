export { enginesFolder } from "./engines-folder.ts";
export {
  addonPath,
  gpuLinks,
  links,
  packagePath,
  type TensorflowInstallation,
  type TensorflowManifest,
  tensorflowInstallation,
} from "./installation.ts";
export { type KernelOptions, registerTensorflowKernels } from "./kernels.ts";
export { installedRoot, loadPackage } from "./load-package.ts";
