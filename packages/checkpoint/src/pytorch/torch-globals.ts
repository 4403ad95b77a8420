import type { Dtype } from "../dtype.ts";
import {
  isNamedGlobal,
  type PickleContext,
  type PickleGlobal,
  type PickleGlobals,
} from "../pickle/pickle-global.ts";
import { kindOf, PickleValueError } from "../pickle/pickle-machine.ts";
import { pythonGlobals } from "../pickle/python-globals.ts";
import {
  isTorchStorage,
  refusedDtypes,
  refusedStorages,
  storageDtypes,
  type TorchStorage,
  torchDtypes,
} from "./torch-storage.ts";
import { isTorchTensor, torchTensor } from "./torch-tensor.ts";

/** May stand among data, and neither be called nor have a state. */
const inert: PickleGlobal = {};

/** `torch._utils._rebuild_tensor(storage, offset, shape, strides)`, with what later versions add. */
const rebuildTensor: PickleGlobal = {
  call([storage, offset, shape, strides, , , metadata]) {
    const { dtype, ...rest } = asStorage(storage);
    if (!dtype) throw new PickleValueError("expected a storage with a type, got one without");
    assertNoMetadata(metadata);
    return torchTensor(dtype, { dtype, ...rest }, offset, shape, strides);
  },
};

/** The same for dtypes without a storage class of their own: the storage is bytes. */
const rebuildTensorV3: PickleGlobal = {
  call([storage, offset, shape, strides, , , dtype, metadata]) {
    assertNoMetadata(metadata);
    return torchTensor(asDtype(dtype), asStorage(storage), offset, shape, strides);
  },
};

const rebuildParameter: PickleGlobal = { call: ([data]) => asTensor(data) };

/** A tensor with attributes of Python's, which are dropped. */
const rebuildFromType: PickleGlobal = {
  call([rebuild, , args], context) {
    const isRebuild = isNamedGlobal(rebuild) && rebuilds.get(rebuild.globalName);
    if (!isRebuild || !Array.isArray(args)) {
      throw new PickleValueError(`expected a function that makes a tensor, got ${kindOf(rebuild)}`);
    }
    return asTensor(isRebuild.call?.(args, context));
  },
};

const rebuilds: PickleGlobals = new Map([
  ["torch._utils._rebuild_tensor", rebuildTensor],
  ["torch._utils._rebuild_tensor_v2", rebuildTensor],
  ["torch._utils._rebuild_tensor_v3", rebuildTensorV3],
  ["torch._utils._rebuild_parameter", rebuildParameter],
  ["torch._utils._rebuild_parameter_with_state", rebuildParameter],
]);

const size: PickleGlobal = {
  call([items = []], { spend }: PickleContext) {
    if (!Array.isArray(items)) throw new PickleValueError(`expected sizes, got ${kindOf(items)}`);
    spend(items.length);
    return Object.freeze([...items]);
  },
};

/** `torch.device("cuda", 0)`, as the text "cuda:0". */
const device: PickleGlobal = {
  call: ([type, index]) => (index === undefined ? type : `${kindOfDevice(type)}:${index}`),
};

/** What files of `torch.save` name: Python's own data, tensors, and what describes them. */
export const torchGlobals: PickleGlobals = new Map([
  ...pythonGlobals,
  ...rebuilds,
  ["torch._tensor._rebuild_from_type_v2", rebuildFromType],
  ["torch.Size", size],
  ["torch.device", device],
  ...[
    "torch.Tensor",
    "torch.nn.parameter.Parameter",
    "torch.nn.parameter.Buffer",
    "torch.storage.UntypedStorage",
    "torch.UntypedStorage",
    "torch.strided",
    "torch.contiguous_format",
    ...[...Object.keys(storageDtypes), ...refusedStorages].flatMap((name) => [
      `torch.${name}`,
      `torch.cuda.${name}`,
    ]),
    ...[...Object.keys(torchDtypes), ...refusedDtypes].map((name) => `torch.${name}`),
  ].map((name) => [name, inert] as const),
]);

/** The dtype of a storage class, none for storages of bytes without a type. */
export function storageClassDtype(value: unknown): Dtype | undefined {
  const [, name = "none"] = /^torch\.(?:cuda\.|storage\.)?(\w+)$/.exec(globalName(value)) ?? [];
  if (name === "UntypedStorage") return undefined;
  const dtype = Object.hasOwn(storageDtypes, name) ? storageDtypes[name] : undefined;
  if (dtype) return dtype;
  const known = Object.keys(storageDtypes).join(", ");
  throw new PickleValueError(`expected a storage of ${known}, got ${kindOf(value)}`);
}

function asDtype(value: unknown): Dtype {
  const name = globalName(value).replace(/^torch\./, "");
  const dtype = Object.hasOwn(torchDtypes, name) ? torchDtypes[name] : undefined;
  if (dtype) return dtype;
  const known = Object.keys(torchDtypes).join(", ");
  throw new PickleValueError(`expected a dtype of ${known}, got ${kindOf(value)}`);
}

function globalName(value: unknown): string {
  return isNamedGlobal(value) ? value.globalName : "";
}

function asStorage(value: unknown): TorchStorage {
  if (isTorchStorage(value)) return value;
  throw new PickleValueError(`expected a storage, got ${kindOf(value)}`);
}

function asTensor(value: unknown): object {
  if (isTorchTensor(value)) return value;
  throw new PickleValueError(`expected a tensor, got ${kindOf(value)}`);
}

/** Conjugate and negative views are marks on a tensor that its elements do not show. */
function assertNoMetadata(metadata: unknown): void {
  const marks = metadata instanceof Map ? [...metadata].filter(([, on]) => on) : [];
  if (marks.length === 0) return;
  throw new PickleValueError(`expected a plain tensor, got one marked ${kindOf(marks[0]?.[0])}`);
}

function kindOfDevice(type: unknown): string {
  if (typeof type === "string" && type.length < 100) return type;
  throw new PickleValueError(`expected a device, got ${kindOf(type)}`);
}
