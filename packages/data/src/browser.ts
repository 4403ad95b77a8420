export { serveCrops } from "./browser/crop-thread.ts";
export { decodePicture, pixelsOf } from "./browser/decode-picture.ts";
export { type HeldPicturesOptions, heldPictures } from "./browser/held-pictures.ts";
export { type ImageFilesOptions, imageFiles } from "./browser/image-files.ts";
export { type LabeledImagesOptions, labeledImages } from "./browser/labeled-images.ts";
export { type LoaderOptions, loader } from "./browser/loader.ts";
export { droppedFiles, folderFiles, type NamedFile, namedFiles } from "./browser/named-files.ts";
