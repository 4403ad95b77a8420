/**
 * Letters of 5 by 7 dots: a digit in base 32 is a row of five, from the top, its highest bit at
 * the left. Letters that reach below the line have rows more.
 */
const glyphs: Readonly<Record<string, string>> = {
  " ": "0",
  "!": "4444404",
  '"': "aaa",
  "#": "aavavaa",
  $: "4fke5u4",
  "%": "pp248jj",
  "&": "cik8lid",
  "'": "444",
  "(": "2488842",
  ")": "8422248",
  "*": "04lel4",
  "+": "044v44",
  ",": "000000c48",
  "-": "000e",
  ".": "00000cc",
  "/": "01248g",
  ":": "00cc0cc",
  ";": "00cc00c48",
  "<": "248g842",
  "=": "00v0v",
  ">": "8421248",
  "?": "eh12404",
  "@": "eh1dlle",
  "[": "e88888e",
  "\\": "0g8421",
  "]": "e22222e",
  "^": "4ah",
  _: "0000000v",
  "`": "842",
  "{": "2448442",
  "|": "4444444",
  "}": "8442448",
  "~": "008l2",
  0: "ehhhhhe",
  1: "4c4444e",
  2: "eh1248v",
  3: "v2421he",
  4: "26aiv22",
  5: "vgu11he",
  6: "68guhhe",
  7: "v124888",
  8: "ehhehhe",
  9: "ehhf12c",
  A: "ehhvhhh",
  B: "uhhuhhu",
  C: "ehggghe",
  D: "uhhhhhu",
  E: "vgguggv",
  F: "vgguggg",
  G: "ehgnhhf",
  H: "hhhvhhh",
  I: "e44444e",
  J: "72222ic",
  K: "hikokih",
  L: "ggggggv",
  M: "hrllhhh",
  N: "hhpljhh",
  O: "ehhhhhe",
  P: "uhhuggg",
  Q: "ehhhlid",
  R: "uhhukih",
  S: "fgge11u",
  T: "v444444",
  U: "hhhhhhe",
  V: "hhhhha4",
  W: "hhhllla",
  X: "hha4ahh",
  Y: "hhha444",
  Z: "v1248gv",
  a: "00e1fhf",
  b: "ggmphhu",
  c: "00eggge",
  d: "11djhhf",
  e: "00ehvge",
  f: "698s888",
  g: "00fhhhf1e",
  h: "ggmphhh",
  i: "40c444e",
  j: "2062222ic",
  k: "ggikoki",
  l: "c44444e",
  m: "00qllll",
  n: "00mphhh",
  o: "00ehhhe",
  p: "00uhhhugg",
  q: "00fhhhf11",
  r: "00mpggg",
  s: "00fge1u",
  t: "88s8896",
  u: "00hhhjd",
  v: "00hhha4",
  w: "00hhlla",
  x: "00ha4ah",
  y: "00hhhhf1e",
  z: "00v248v",
};

/** What stands for a letter that is not in the table. */
const unknown = "vhhhhhv";

/** Dots from one letter's left to the next one's. */
export const glyphAdvance = 6;
/** Dots from a letter's top to the line that it stands on. */
export const glyphHeight = 7;

/** The dots of a letter as `[column, row]`, from its upper left. */
export function glyphDots(letter: string): readonly (readonly [column: number, row: number])[] {
  const rows = Object.hasOwn(glyphs, letter) ? (glyphs[letter] as string) : unknown;
  return [...rows].flatMap((digit, row) => {
    const bits = Number.parseInt(digit, 32);
    return [0, 1, 2, 3, 4]
      .filter((column) => bits & (16 >> column))
      .map((column) => [column, row] as const);
  });
}
