/**
 * TensorBoard's `Event` message, written by hand: the few fields that scalars need
 * (https://github.com/tensorflow/tensorboard, compat/proto/event.proto and summary.proto).
 */
export interface ScalarEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  /** What the event says: values by tag, the file's version, or that a run goes on from here. */
  readonly says: Readonly<Record<string, number>> | "version" | "restart";
}

/** Protobuf's kinds of field. */
const varintField = 0;
const fixed64Field = 1;
const bytesField = 2;
const fixed32Field = 5;

export function encodeEvent({ wallTime, step, says }: ScalarEvent): Uint8Array {
  const head = [
    ...tag(1, fixed64Field),
    ...float64(wallTime),
    ...tag(2, varintField),
    ...varint(step),
  ];
  if (says === "version") return Uint8Array.from([...head, ...text(3, "brain.Event:2")]);
  if (says === "restart")
    return Uint8Array.from([...head, ...message(7, [...tag(1, varintField), 1])]);
  const values = Object.entries(says).flatMap(([name, value]) =>
    message(1, [...text(1, name), ...tag(2, fixed32Field), ...float32(value)]),
  );
  return Uint8Array.from([...head, ...message(5, values)]);
}

/** The step of an event that `encodeEvent` wrote: its second field. */
export function stepOfEvent(event: Uint8Array): number {
  let step = 0;
  let scale = 1;
  for (let i = 10; i < event.length; i++) {
    const byte = event[i] as number;
    step += (byte & 0x7f) * scale;
    if (byte < 0x80) return step;
    scale *= 128;
  }
  return step;
}

function tag(field: number, kind: number): readonly number[] {
  return varint(field * 8 + kind);
}

/** Seven bits a byte, the lowest first; arithmetic, since steps may pass 32 bits. */
function varint(value: number): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

function message(field: number, content: readonly number[]): readonly number[] {
  return [...tag(field, bytesField), ...varint(content.length), ...content];
}

function text(field: number, value: string): readonly number[] {
  return message(field, [...new TextEncoder().encode(value)]);
}

function float32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return bytes;
}

function float64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return bytes;
}
