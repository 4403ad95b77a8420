/** Probability that a standard normal variable is at most `x`, to about 1e-15 of it. */
export function normalCdf(x: number): number {
  const density = Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
  if (x > 3) return 1 - density / mills(x);
  if (x < -3) return density / mills(-x);
  // The series of Abramowitz & Stegun 26.2.11, all of whose terms have one sign.
  let term = x;
  let sum = x;
  for (let n = 3; Math.abs(term) > 1e-17 * Math.abs(sum); n += 2) {
    term *= (x * x) / n;
    sum += term;
  }
  return 0.5 + sum * density;
}

/** The density at `x` over the probability above it: Abramowitz & Stegun's continued fraction 26.2.14. */
function mills(x: number): number {
  let fraction = x;
  for (let n = 100; n > 0; n--) fraction = x + n / fraction;
  return fraction;
}

/**
 * The `x` with `normalCdf(x) === p`, to about 1e-16 relative: Wichura's algorithm AS 241 (1988),
 * rational approximations for the middle, the flanks and the far tails.
 */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) return q * middle(0.180625 - q * q);
  const r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p));
  const x = r <= 5 ? flank(r - 1.6) : tail(r - 5);
  return q < 0 ? -x : x;
}

function middle(r: number): number {
  return (
    polynomial(
      r,
      3.3871328727963665,
      133.14166789178438,
      1971.5909503065513,
      13731.69376550946,
      45921.95393154987,
      67265.7709270087,
      33430.57558358813,
      2509.0809287301227,
    ) /
    polynomial(
      r,
      1.0,
      42.31333070160091,
      687.1870074920579,
      5394.196021424751,
      21213.794301586597,
      39307.89580009271,
      28729.085735721943,
      5226.495278852854,
    )
  );
}

function flank(r: number): number {
  return (
    polynomial(
      r,
      1.4234371107496835,
      4.630337846156546,
      5.769497221460691,
      3.6478483247632045,
      1.2704582524523684,
      0.2417807251774506,
      0.022723844989269184,
      0.0007745450142783414,
    ) /
    polynomial(
      r,
      1.0,
      2.053191626637759,
      1.6763848301838038,
      0.6897673349851,
      0.14810397642748008,
      0.015198666563616457,
      0.0005475938084995345,
      1.0507500716444169e-9,
    )
  );
}

function tail(r: number): number {
  return (
    polynomial(
      r,
      6.657904643501103,
      5.463784911164114,
      1.7848265399172913,
      0.29656057182850487,
      0.026532189526576124,
      0.0012426609473880784,
      2.7115555687434876e-5,
      2.0103343992922881e-7,
    ) /
    polynomial(
      r,
      1.0,
      0.599832206555888,
      0.1369298809227358,
      0.014875361290850615,
      0.0007868691311456133,
      1.8463183175100548e-5,
      1.421511758316446e-7,
      2.0442631033899397e-15,
    )
  );
}

/** By Horner's rule, coefficients of the lowest power first. No array: this is called per weight. */
function polynomial(
  x: number,
  a0: number,
  a1: number,
  a2: number,
  a3: number,
  a4: number,
  a5: number,
  a6: number,
  a7: number,
): number {
  return ((((((a7 * x + a6) * x + a5) * x + a4) * x + a3) * x + a2) * x + a1) * x + a0;
}
