import type { Pixels } from "@dino/ops";

/** A picture, alone or of a video. */
export interface Frame {
  /** What its files are named after. */
  readonly name: string;
  /** The file, for people to find it. */
  readonly path: string;
  /** When its file was last written, in milliseconds since 1970: what is older was made of another. */
  readonly changed: number;
  read(): Promise<Pixels>;
}

/** Where frames come from; a picture file is a source of one. */
export interface Source {
  /** The file or folder. */
  readonly path: string;
  /** What is made of it is named after this. */
  readonly name: string;
  /** About how many frames there are; nothing where the file does not tell. */
  readonly count: number | undefined;
  /** Frames a second, where they follow each other in time: the source is a video. */
  readonly rate: number | undefined;
  /** The frames in order. Who stops early leaves nothing running. */
  frames(): AsyncIterable<Frame>;
}

/** Whether the frames of a source follow each other in time. */
export function isVideo({ rate }: Source): boolean {
  return rate !== undefined;
}
