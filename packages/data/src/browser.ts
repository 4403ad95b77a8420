export { decodePicture, pixelsOf } from "./browser/decode-picture.ts";
