/** What was found where, and what was done to it, when weights were loaded. */
export interface LoadReport {
  /** The checkpoint's name. */
  readonly file: string;
  /** Whose names the file has, such as `DINO` or `Hugging Face ViT`. */
  readonly naming: string;
  /** What stands in front of the module's names in the file. */
  readonly prefix: string;
  /** How many of the module's parameters were loaded. */
  readonly loaded: number;
  /** The module's names that the file lacks. */
  readonly missing: readonly string[];
  /** The file's names, under the prefix, that the module lacks. */
  readonly unexpected: readonly string[];
  /** What is called otherwise in the file, beyond its prefix: several names where they were joined. */
  readonly renamed: readonly {
    readonly from: readonly string[];
    readonly to: string;
  }[];
  /** What was brought to another shape. */
  readonly reshaped: readonly {
    readonly name: string;
    readonly from: readonly number[];
    readonly to: readonly number[];
  }[];
  /** The file's names that a backbone has no use for, such as a classifier's. */
  readonly leftOut: readonly string[];
}
