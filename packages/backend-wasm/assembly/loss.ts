import { exponentials, largest } from "./softmax.ts";
import { fma, loadPart, storePart, sumLanes, wholeBytes } from "./vector.ts";

/* @external("env", "log") */
declare function log(x: f64): f64;

/**
 * The cross-entropy of every student's view with every other teacher's view, summed over the pairs
 * and the batch: logits `student` `[crops, batch, outcomes]`, which are divided by the
 * temperature, and probabilities `targets` `[globals, batch, outcomes]`, with `view` bytes from one
 * view's to the next one's. `scratch` holds a row.
 */
export function crossEntropy(
  student: usize,
  targets: usize,
  crops: i32,
  globals: i32,
  batch: i32,
  outcomes: i32,
  view: usize,
  temperature: f32,
  scratch: usize,
): f64 {
  const row = (<usize>outcomes) << 2;
  const scale = <f32>1 / temperature;
  let loss: f64 = 0;
  for (let picture = 0; picture < batch; picture++) {
    sumViews(targets, view, globals, outcomes, scratch);
    for (let crop = 0; crop < crops; crop++) {
      const logits = student + <usize>crop * view;
      const own = crop < globals ? targets + <usize>crop * view : 0;
      const most = largest(logits, outcomes) * scale;
      const logTotal = <f64>most + log(<f64>exponentials(logits, scale, most, outcomes, 0));
      loss += pair(scratch, own, logits, scale, logTotal, outcomes);
    }
    student += row;
    targets += row;
  }
  return loss;
}

/** The sum of the views' targets for one picture. */
function sumViews(targets: usize, view: usize, globals: i32, outcomes: i32, sum: usize): void {
  memory.copy(sum, targets, (<usize>outcomes) << 2);
  const whole = wholeBytes(outcomes);
  const left = outcomes & 3;
  for (let global = 1; global < globals; global++) {
    targets += view;
    for (let at: usize = 0; at < whole; at += 16) {
      v128.store(sum + at, f32x4.add(v128.load(sum + at), v128.load(targets + at)));
    }
    const rest = f32x4.add(loadPart(sum + whole, left), loadPart(targets + whole, left));
    storePart(sum + whole, rest, left);
  }
}

/** `sum of (wanted * (logTotal - scale * logits))`, wanted being all targets but a view's own. */
function pair(
  all: usize,
  own: usize,
  logits: usize,
  scale: f32,
  logTotal: f64,
  outcomes: i32,
): f64 {
  const whole = wholeBytes(outcomes);
  const left = outcomes & 3;
  let mass = f32x4.splat(0);
  let along = f32x4.splat(0);
  for (let at: usize = 0; at < whole; at += 16) {
    let wanted = v128.load(all + at);
    if (own) wanted = f32x4.sub(wanted, v128.load(own + at));
    mass = f32x4.add(mass, wanted);
    along = fma(wanted, v128.load(logits + at), along);
  }
  let wanted = loadPart(all + whole, left);
  if (own) wanted = f32x4.sub(wanted, loadPart(own + whole, left));
  mass = f32x4.add(mass, wanted);
  along = fma(wanted, loadPart(logits + whole, left), along);
  return <f64>sumLanes(mass) * logTotal - <f64>sumLanes(along) * <f64>scale;
}

/** The gradient of `factor * crossEntropy` with respect to the student's logits. */
export function crossEntropyBack(
  student: usize,
  targets: usize,
  crops: i32,
  globals: i32,
  batch: i32,
  outcomes: i32,
  view: usize,
  temperature: f32,
  factor: f32,
  gradient: usize,
  scratch: usize,
): void {
  const row = (<usize>outcomes) << 2;
  const scale = <f32>1 / temperature;
  for (let picture = 0; picture < batch; picture++) {
    sumViews(targets, view, globals, outcomes, scratch);
    for (let crop = 0; crop < crops; crop++) {
      const logits = student + <usize>crop * view;
      const own = crop < globals ? targets + <usize>crop * view : 0;
      const to = gradient + <usize>crop * view;
      const most = largest(logits, outcomes) * scale;
      const total = exponentials(logits, scale, most, outcomes, to);
      pairBack(scratch, own, total, factor * scale, outcomes, to);
    }
    student += row;
    targets += row;
    gradient += row;
  }
}

/** `factor * (mass * y / total - wanted)` into `y`, which holds exponentials. */
function pairBack(all: usize, own: usize, total: f32, factor: f32, outcomes: i32, y: usize): void {
  const whole = wholeBytes(outcomes);
  const left = outcomes & 3;
  let sum = f32x4.splat(0);
  for (let at: usize = 0; at < whole; at += 16) {
    const wanted = v128.load(all + at);
    sum = f32x4.add(sum, own ? f32x4.sub(wanted, v128.load(own + at)) : wanted);
  }
  let rest = loadPart(all + whole, left);
  if (own) rest = f32x4.sub(rest, loadPart(own + whole, left));
  const share = f32x4.splat((sumLanes(f32x4.add(sum, rest)) / total) * factor);
  const back = f32x4.splat(-factor);
  for (let at: usize = 0; at < whole; at += 16) {
    let wanted = v128.load(all + at);
    if (own) wanted = f32x4.sub(wanted, v128.load(own + at));
    v128.store(y + at, fma(wanted, back, f32x4.mul(v128.load(y + at), share)));
  }
  storePart(y + whole, fma(rest, back, f32x4.mul(loadPart(y + whole, left), share)), left);
}
