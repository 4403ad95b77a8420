export { type ImageFolder, type ImageFolderOptions, imageFolder } from "./node/image-folder.ts";
export { type LabeledImagesOptions, labeledImages } from "./node/labeled-images.ts";
export { labeledLoader } from "./node/labeled-loader.ts";
export { type LoaderOptions, loader } from "./node/loader.ts";
export { type ReadImageOptions, readImage } from "./node/read-image.ts";
