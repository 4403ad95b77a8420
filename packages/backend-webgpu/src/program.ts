/** Numbers that a program is told at each call, by name. */
export type Scalars = Readonly<Record<string, "u32" | "f32">>;

/** A compute shader: what it binds, and its code. */
export interface Program {
  /** What it is and how it was made; two programs of one name are the same. */
  readonly name: string;
  /** Buffers that it reads, by the names that the code has for them. */
  readonly reads: readonly string[];
  /** Buffers that it writes, which it may read too. */
  readonly writes: readonly string[];
  /** Buffers, of both kinds, that hold unsigned integers, and not numbers. */
  readonly words?: readonly string[];
  /** Buffers, of both kinds, that hold numbers of 16 bits, two to a word. */
  readonly halves?: readonly string[];
  readonly scalars: Scalars;
  readonly workgroupSize: readonly [x: number, y: number];
  /** Functions and memory of the workgroup. */
  readonly declarations?: string;
  /**
   * The body of the entry point. It finds `u` with the scalars, `local` (the thread's place in its
   * group), `thread` (the same as one number) and `group` (the group's number). What may hold halves
   * is read by `nameAt(i)`; two numbers make a word of halves by `halvesOf`.
   */
  readonly body: string;
}

/** The whole text of a program in WGSL. */
export function wgslOf(program: Program): string {
  const { reads, words = [], writes, halves = [], scalars, workgroupSize } = program;
  const { declarations = "", body } = program;
  const [columns, rows] = workgroupSize;
  const buffers = [
    ...writes.map((name) => ({ name, access: "read_write" })),
    ...reads.map((name) => ({ name, access: "read" })),
  ].map(
    ({ name, access }, i) =>
      `@group(0) @binding(${i}) var<storage, ${access}> ${name}: array<${[...words, ...halves].includes(name) ? "u32" : "f32"}>;`,
  );
  const readers = [...writes, ...reads]
    .filter((name) => `${declarations}${body}`.includes(`${name}At(`))
    .map((name) => reader(name, halves.includes(name)));
  const fields = Object.entries(scalars).map(([name, type]) => `  ${name}: ${type},`);
  return [
    "struct Scalars {",
    ...fields,
    "}",
    ...buffers,
    "@group(1) @binding(0) var<uniform> u: Scalars;",
    ...(`${declarations}${body}`.includes("halvesOf(") ? [halfFunction] : []),
    ...readers,
    declarations,
    `@compute @workgroup_size(${columns}, ${rows}, 1)`,
    "fn main(",
    "  @builtin(local_invocation_id) local: vec3<u32>,",
    "  @builtin(local_invocation_index) thread: u32,",
    "  @builtin(workgroup_id) groupAt: vec3<u32>,",
    "  @builtin(num_workgroups) groupCount: vec3<u32>,",
    ") {",
    "  let group = groupAt.x + groupAt.y * groupCount.x;",
    body,
    "}",
  ].join("\n");
}

/** Two numbers as halves in a word, and back; what is too large becomes the largest half. */
const halfFunction = `
fn halvesOf(a: vec2<f32>) -> u32 {
  return pack2x16float(clamp(a, vec2<f32>(-65504.0), vec2<f32>(65504.0)));
}`;

/** `nameAt(i)`: an element of a buffer, whichever way it holds them. */
function reader(name: string, isHalf: boolean): string {
  const value = isHalf
    ? `let pair = unpack2x16float(${name}[i >> 1u]); return select(pair.x, pair.y, (i & 1u) == 1u);`
    : `return ${name}[i];`;
  return `fn ${name}At(i: u32) -> f32 { ${value} }`;
}

/** The most groups along one axis that every adapter takes. */
export const alongAxis = 65535;

/**
 * How so many groups are laid out. There may be more than asked for, which the program's code
 * leaves by comparing `group` with what it was told.
 */
export function layOut(groups: number): readonly [x: number, y: number] {
  if (groups <= alongAxis) return [groups, 1];
  const rows = Math.ceil(groups / alongAxis);
  return [Math.ceil(groups / rows), rows];
}
