/** How often rows of one class were taken for another. */
export interface Confusion {
  readonly classes: number;
  /** Row i counts what rows of class i were taken for: `[classes, classes]`. */
  readonly counts: Uint32Array;
}

/** Counts answers against what is true. Both are classes from 0 to `classes - 1`. */
export function confusion(answers: Int32Array, predicted: Int32Array, classes: number): Confusion {
  if (predicted.length !== answers.length) {
    throw new RangeError(
      `predicted: expected ${answers.length} classes, one for each answer, got ${predicted.length}`,
    );
  }
  assertClasses("answers", answers, classes);
  assertClasses("predicted", predicted, classes);
  const counts = new Uint32Array(classes * classes);
  answers.forEach((answer, i) => {
    const at = answer * classes + (predicted[i] as number);
    counts[at] = (counts[at] as number) + 1;
  });
  return { classes, counts };
}

/** How well one class is told from the others. */
export interface ClassFigures {
  /** Rows of the class. */
  readonly count: number;
  /** Percent of them that were taken for it; NaN where there are none. */
  readonly recall: number;
  /** Percent of what was taken for it that is of it; NaN where nothing was. */
  readonly precision: number;
}

/** The figures of every class, in the order of their numbers. */
export function classFigures({ classes, counts }: Confusion): readonly ClassFigures[] {
  return Array.from({ length: classes }, (_, label) => {
    let [count, taken] = [0, 0];
    for (let other = 0; other < classes; other++) {
      count += counts[label * classes + other] as number;
      taken += counts[other * classes + label] as number;
    }
    const right = counts[label * classes + label] as number;
    return { count, recall: (100 * right) / count, precision: (100 * right) / taken };
  });
}

function assertClasses(name: string, labels: Int32Array, classes: number): void {
  const wrong = labels.findIndex((label) => label < 0 || label >= classes);
  if (wrong < 0) return;
  throw new RangeError(
    `${name}: expected classes from 0 to ${classes - 1}, got ${labels[wrong]} for row ${wrong}`,
  );
}
