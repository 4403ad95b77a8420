/** What reads picture files, or why it does not load. */
export async function pictureDecoder(): Promise<string> {
  try {
    const { default: sharp } = await import("sharp");
    return `sharp ${sharp.versions.sharp ?? "of unknown version"} (libvips ${sharp.versions.vips})`;
  } catch (error) {
    return `sharp does not load: ${error instanceof Error ? error.message.split("\n")[0] : error}`;
  }
}
