import { dinoLoss, sinkhorn } from "@dino/loss";
import { teacherTemperature } from "@dino/schedulers";
import {
  type Digest,
  decode,
  expectClose,
  expectDigest,
  expectNoLeak,
  expectValues,
  type GoldenArray,
  golden,
  named,
  onEveryBackend,
} from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { expect, test } from "vitest";

interface LossGolden {
  readonly salt: string;
  readonly temps: Record<
    "warmup_teacher_temp" | "teacher_temp" | "warmup_teacher_temp_epochs" | "epochs",
    number
  >;
  readonly cases: readonly {
    readonly ncrops: number;
    readonly batch: number;
    readonly out_dim: number;
    readonly epoch: number;
    readonly steps: readonly {
      readonly loss: number;
      readonly center_after: GoldenArray;
      readonly grad_student: GoldenArray | Digest;
    }[];
  }[];
}

const { salt, cases, temps } = golden<LossGolden>("loss");
const temperature = teacherTemperature({
  from: temps.warmup_teacher_temp,
  to: temps.teacher_temp,
  warmupEpochs: temps.warmup_teacher_temp_epochs,
  epochs: temps.epochs,
  stepsPerEpoch: 1,
});

onEveryBackend(() => {
  test.each(cases)("agrees with the reference for $ncrops crops", (c) => {
    const { ncrops, batch, out_dim, epoch, steps } = c;
    const loss = dinoLoss({ prototypes: out_dim });
    let state = loss.init();
    steps.forEach((step, i) => {
      const student = named<tf.Tensor3D>(`${salt}loss${ncrops}.student${i}`, [
        ncrops,
        batch,
        out_dim,
      ]);
      const teacher = named<tf.Tensor3D>(`${salt}loss${ncrops}.teacher${i}`, [2, batch, out_dim]);
      const inputs = { teacher, teacherTemperature: temperature(epoch) };
      const { value, grad } = tf.valueAndGrad((student) =>
        loss.apply(state, { student: student as tf.Tensor3D, ...inputs }),
      )(student);
      expectClose(value, step.loss);
      if ("data" in step.grad_student) expectClose(grad, decode(step.grad_student));
      else expectDigest(grad, step.grad_student);
      state = loss.update(state, teacher);
      expectClose(state.center, decode(step.center_after));
    });
  });

  test("agrees with figures computed in double precision", () => {
    const loss = dinoLoss({ prototypes: 8 });
    const student = wave([4, 2, 8], 1);
    const teacher = wave([2, 2, 8], 2);
    let state = loss.init();
    for (const [teacherTemperature, expected, center, row, sum] of [
      [
        0.04,
        12.255800319257,
        [0.0730748341, 0.0556823693, 0.0121016162],
        [0.0631287483, -0.0656070758, 0.0024606573],
        16.123145844775,
      ],
      [
        0.07,
        12.309561644733,
        [0.1388421847, 0.1057965016, 0.0229930707],
        [0.1349547134, -0.1360802406, 0.0011081807],
        16.58259326668,
      ],
      [
        0.07,
        12.338178846359,
        [0.1980328004, 0.1508992208, 0.0327953798],
        [0.1813094141, -0.1811717477, -0.0001544242],
        16.870270725882,
      ],
    ] as const) {
      const { value, grad } = tf.valueAndGrad((student) =>
        loss.apply(state, { student: student as tf.Tensor3D, teacher, teacherTemperature }),
      )(student);
      expectClose(value, expected);
      expectValues(grad.dataSync().subarray(0, 3), row);
      expectClose(tf.sum(tf.abs(grad)), sum);
      state = loss.update(state, teacher);
      expectValues(state.center.dataSync().subarray(0, 3), center);
    }
  });

  test("runs inside a trainer of one's own", () => {
    const loss = dinoLoss({ prototypes: 6 });
    const weights = tf.variable(named<tf.Tensor2D>("weights", [4, 6]));
    const crops = named<tf.Tensor2D>("crops", [5 * 3, 4]);
    const head = (x: tf.Tensor2D, views: number) =>
      tf.reshape(tf.matMul(x, weights), [views, 3, 6]) as tf.Tensor3D;
    let state = loss.init();
    const teacher = head(tf.slice(crops, 0, 2 * 3), 2);
    const { value, grads } = tf.variableGrads(() =>
      loss.apply(state, { student: head(crops, 5), teacher, teacherTemperature: 0.04 }),
    );
    state = loss.update(state, teacher);
    expect(value.dataSync()[0]).toBeGreaterThan(0);
    expect(norm(grads[weights.name])).toBeGreaterThan(0);
    tf.dispose([teacher, value, grads, weights, state]);
  });

  test("stops gradients at the teacher", () => {
    const loss = dinoLoss({ prototypes: 8 });
    const { student, teacher } = logits();
    const [toStudent, toTeacher] = tf.grads((student, teacher) =>
      loss.apply(loss.init(), {
        student: student as tf.Tensor3D,
        teacher: tf.mul(teacher, 2) as tf.Tensor3D,
        teacherTemperature: 0.04,
      }),
    )([student, teacher]);
    expect(norm(toStudent)).toBeGreaterThan(0);
    expect(norm(toTeacher)).toBe(0);
  });

  test("moves the centre towards the mean of the teacher's logits", () => {
    const loss = dinoLoss({ prototypes: 8, centerMomentum: 0.75 });
    const { teacher } = logits();
    let state = loss.init();
    for (let i = 0; i < 3; i++) state = loss.update(state, teacher);
    const mean = tf.mean(teacher, [0, 1]);
    expectClose(state.center, tf.mul(mean, 1 - 0.75 ** 3).dataSync());
  });

  test("is ln K for a student that knows nothing", () => {
    const loss = dinoLoss({ prototypes: 8 });
    const { teacher } = logits();
    const student = tf.zeros<tf.Rank.R3>([5, 3, 8]);
    const inputs = { student, teacher, teacherTemperature: 0.04 };
    expectClose(loss.apply(loss.init(), inputs), Math.log(8));
  });

  test("splits into the targets' entropy and the student's divergence from them", () => {
    const loss = dinoLoss({ prototypes: 8 });
    const { student, teacher } = logits();
    const state = loss.init();
    const inputs = { student, teacher, teacherTemperature: 0.05 };
    const { targetEntropy, divergence } = loss.diagnose(state, inputs);
    const targets = loss.targets(state, inputs).arraySync();
    const entropies = targets.flat().map((row) => -sum(row.map((p) => p * Math.log(p || 1))));
    expectClose(targetEntropy, sum(entropies) / entropies.length);
    const students = tf.softmax(tf.div(student, 0.1)).arraySync() as number[][][];
    const divergences = targets.flatMap((view, i) =>
      students.flatMap((crop, v) =>
        i === v ? [] : crop.map((row, b) => kullbackLeibler(view[b] as number[], row)),
      ),
    );
    expectClose(divergence, sum(divergences) / divergences.length);
  });

  test("diagnoses one-hot and uniform targets without NaN", () => {
    const loss = dinoLoss({ prototypes: 8 });
    const { student } = logits();
    const far = tf.mul<tf.Tensor3D>(
      tf.oneHot(
        tf.tensor2d(
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
          [2, 3],
          "int32",
        ),
        8,
      ),
      100,
    );
    const oneHot = loss.diagnose(loss.init(), { student, teacher: far, teacherTemperature: 0.04 });
    expect(oneHot.targetEntropy.dataSync()[0]).toBeCloseTo(0, 6);
    const flat = tf.zeros<tf.Rank.R3>([2, 3, 8]);
    const uniform = loss.diagnose(loss.init(), {
      student,
      teacher: flat,
      teacherTemperature: 0.04,
    });
    expectClose(uniform.targetEntropy, Math.log(8));
  });

  test.each([["centring"], ["Sinkhorn-Knopp"]])(
    "a batch in parts adds up to the whole, with %s",
    (kind) => {
      const loss = dinoLoss({
        prototypes: 8,
        ...(kind === "centring" ? {} : { target: sinkhorn() }),
      });
      const { student, teacher } = logits();
      const state = loss.init();
      const inputs = { teacher, teacherTemperature: 0.04 };
      const targets = loss.targets(state, inputs);
      const part = (x: tf.Tensor3D, first: number, count: number) =>
        tf.slice(x, [0, first, 0], [-1, count, -1]);
      const parts = [
        [0, 2],
        [2, 1],
      ] as const;
      const shares = parts.map(([first, count]) => {
        const value = loss.applyTargets(part(student, first, count), part(targets, first, count));
        return ((value.dataSync()[0] as number) * count) / 3;
      });
      expectClose(loss.apply(state, { student, ...inputs }), sum(shares));
    },
  );

  test("leaks no tensors", () => {
    const loss = dinoLoss({ prototypes: 8 });
    const { student, teacher } = logits();
    const inputs = { student, teacher, teacherTemperature: 0.04 };
    const state = loss.init();
    loss.apply(state, inputs); // registers kernels
    expectNoLeak(() => loss.apply(state, inputs));
    expectNoLeak(() => ({ ...loss.diagnose(state, inputs) }));
    expectNoLeak(() => loss.targets(state, inputs));
    expectNoLeak(() => loss.update(loss.init(), teacher));
    expectNoLeak(() =>
      tf.valueAndGrad((student) =>
        loss.apply(state, { ...inputs, student: student as tf.Tensor3D }),
      )(student),
    );
    const before = tf.memory().numTensors;
    const next = loss.update(state, teacher);
    expect(tf.memory().numTensors).toBe(before);
    expect(state.center.isDisposed).toBe(true);
    tf.dispose(next);
  });

  test("names the tensor whose shape is wrong", () => {
    const loss = dinoLoss({ prototypes: 8 });
    const { student, teacher } = logits();
    const state = loss.init();
    const teacherTemperature = 0.04;
    const narrow = tf.zeros<tf.Rank.R3>([5, 3, 7]);
    expect(() => loss.apply(state, { student: narrow, teacher, teacherTemperature })).toThrow(
      "student: expected shape [*, *, 8], got [5, 3, 7]",
    );
    expect(() => loss.apply(state, { student, teacher: narrow, teacherTemperature })).toThrow(
      "teacher: expected shape [*, 3, 8], got [5, 3, 7]",
    );
    expect(() => loss.update(state, narrow)).toThrow(
      "teacher: expected shape [*, *, 8], got [5, 3, 7]",
    );
    expect(() => loss.applyTargets(student, narrow)).toThrow(
      "targets: expected shape [*, 3, 8], got [5, 3, 7]",
    );
  });
});

test("refuses a teacher temperature that does not sharpen", () => {
  const loss = dinoLoss({ prototypes: 8 });
  const { student, teacher } = logits();
  const state = loss.init();
  const apply = (teacherTemperature: number) => () =>
    loss.apply(state, { student, teacher, teacherTemperature });
  expect(apply(0.1)).toThrow(
    new RangeError("teacherTemperature: expected above 0 and below the student's 0.1, got 0.1"),
  );
  const useless = fc.oneof(fc.double({ min: 0.1 }), fc.double({ max: 0 }), fc.constant(Number.NaN));
  fc.assert(
    fc.property(useless, (temperature) => {
      expect(apply(temperature)).toThrow(RangeError);
    }),
  );
});

test("refuses options out of range", () => {
  expect(() => dinoLoss({ prototypes: 0 })).toThrow(
    "prototypes: expected a positive integer, got 0",
  );
  expect(() => dinoLoss({ prototypes: 8, studentTemperature: 0 })).toThrow(
    "studentTemperature: expected above 0, got 0",
  );
  expect(() => dinoLoss({ prototypes: 8, centerMomentum: 1.5 })).toThrow(
    "centerMomentum: expected from 0 to 1, got 1.5",
  );
});

/** Five crops of three pictures, eight prototypes. */
function logits() {
  return {
    student: named<tf.Tensor3D>("student", [5, 3, 8]),
    teacher: named<tf.Tensor3D>("teacher", [2, 3, 8]),
  };
}

/** Element i is sin(0.7 i + 1.3 s). */
function wave(shape: [number, number, number], s: number): tf.Tensor3D {
  const values = Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) =>
    Math.sin(0.7 * i + 1.3 * s),
  );
  return tf.tensor3d(values, shape);
}

const norm = (gradient: tf.Tensor | undefined) => gradient && tf.norm(gradient).dataSync()[0];
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

function kullbackLeibler(target: readonly number[], student: readonly number[]): number {
  return sum(target.map((p, k) => (p > 0 ? p * Math.log(p / (student[k] as number)) : 0)));
}
