import {
  backboneWeights,
  CheckpointError,
  type LoadReport,
  loadWeights,
  type NamingKey,
  nameMaps,
  openSafetensors,
  renameWeights,
  type StoredTensor,
  storedTensors,
  streamSafetensors,
  type TensorData,
} from "@dino/checkpoint";
import "@dino/testing"; // a backend for loaded tensors
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { encode, float32 } from "./files.ts";

const width = 2;
const vit = {
  parameterShapes: {
    cls_token: [1, 1, width],
    pos_embed: [1, 5, width],
    "patch_embed.proj.weight": [width, 3, 1, 1],
    "patch_embed.proj.bias": [width],
    ...Object.fromEntries(
      [0, 11].flatMap((i) =>
        Object.entries({
          "norm1.weight": [width],
          "norm1.bias": [width],
          "attn.qkv.weight": [3 * width, width],
          "attn.qkv.bias": [3 * width],
          "attn.proj.weight": [width, width],
          "attn.proj.bias": [width],
          "norm2.weight": [width],
          "norm2.bias": [width],
          "mlp.fc1.weight": [8, width],
          "mlp.fc1.bias": [8],
          "mlp.fc2.weight": [width, 8],
          "mlp.fc2.bias": [width],
        }).map(([name, shape]) => [`blocks.${i}.${name}`, shape]),
      ),
    ),
    "norm.weight": [width],
    "norm.bias": [width],
  } as Record<string, readonly number[]>,
};
const norm = (name: string) => ({
  [`${name}.weight`]: [2],
  [`${name}.bias`]: [2],
  [`${name}.running_mean`]: [2],
  [`${name}.running_var`]: [2],
});
const resnet = {
  parameterShapes: {
    "conv1.weight": [2, 3, 7, 7],
    ...norm("bn1"),
    "layer1.0.conv1.weight": [2, 2, 1, 1],
    ...norm("layer1.0.bn1"),
    "layer1.0.downsample.0.weight": [2, 2, 1, 1],
    ...norm("layer1.0.downsample.1"),
    "layer4.2.conv3.weight": [2, 2, 1, 1],
    ...norm("layer4.2.bn3"),
  } as Record<string, readonly number[]>,
};

type Module = typeof vit;

/** Every tensor of a module, each element another number. */
function numbered({ parameterShapes }: Module): Record<string, TensorData> {
  let next = 0;
  return Object.fromEntries(
    Object.entries(parameterShapes).map(([name, shape]) => {
      const length = shape.reduce((a, b) => a * b, 1);
      return [
        name,
        float32(
          shape,
          Array.from({ length }, () => next++),
        ),
      ];
    }),
  );
}

const inMemory = (entries: Record<string, TensorData>) =>
  openSafetensors(Object.assign(new Blob([new Uint8Array(encode(entries))]), { name: "w" }));

/** The module's tensors in a file of other names. */
async function foreign(
  module: Module,
  key: NamingKey,
  { prefix = "", more = {} }: { prefix?: string; more?: Record<string, TensorData> } = {},
) {
  const stored = storedTensors(await inMemory(numbered(module)));
  const renamed = renameWeights(stored, nameMaps[key]);
  const file = new Map<string, StoredTensor | TensorData>(
    [...renamed].map(([name, tensor]) => [prefix + name, tensor]),
  );
  for (const [name, tensor] of Object.entries(more)) file.set(name, tensor);
  const chunks = [];
  for await (const chunk of streamSafetensors(file)) chunks.push(chunk);
  return openSafetensors(
    Object.assign(new Blob(chunks.map((chunk) => new Uint8Array(chunk))), { name: "w" }),
  );
}

const values = (params: Record<string, tf.Tensor>) =>
  Object.fromEntries(
    Object.entries(params).map(([name, tensor]) => [name, [tensor.shape, [...tensor.dataSync()]]]),
  );

const classifier = (name: string) => ({
  [`${name}.weight`]: float32([3, 2], [0, 0, 0, 0, 0, 0]),
  [`${name}.bias`]: float32([3], [0, 0, 0]),
});

test.each<[string, Module, NamingKey, string, Record<string, TensorData>]>([
  ["a backbone", vit, "reference", "", {}],
  ["a wrapped backbone", vit, "reference", "module.backbone.", {}],
  ["a backbone under state_dict", vit, "reference", "state_dict.module.", {}],
  ["timm's ViT", vit, "timm", "", classifier("head")],
  ["a checkpoint of timm's", vit, "timm", "model.", classifier("model.head")],
  ["ViTModel", vit, "huggingFaceVit", "", classifier("pooler.dense")],
  ["ViTForImageClassification", vit, "huggingFaceVit", "vit.", classifier("classifier")],
  ["transformers 5 in memory", vit, "huggingFaceVit5", "", classifier("pooler.dense")],
  ["torchvision's ResNet", resnet, "torchvision", "", classifier("fc")],
  ["the reference's ResNet", resnet, "reference", "teacher.module.backbone.", {}],
  ["ResNetModel", resnet, "huggingFaceResnet", "", {}],
  [
    "ResNetForImageClassification",
    resnet,
    "huggingFaceResnet",
    "resnet.",
    classifier("classifier.1"),
  ],
])("takes the weights of %s, and goes both ways", async (_, module, key, prefix, more) => {
  const checkpoint = await foreign(module, key, { prefix, more });
  let report: LoadReport | undefined;
  const onReport = (told: LoadReport) => {
    report = told;
  };
  const params = await loadWeights(module, checkpoint, { onReport });
  const own = await loadWeights(module, await inMemory(numbered(module)));
  expect(values(params)).toEqual(values(own));
  const count = Object.keys(module.parameterShapes).length;
  expect(report).toMatchObject({ naming: nameMaps[key].name, prefix, loaded: count, missing: [] });
  expect(report?.unexpected).toEqual([]);
  expect([...(report?.leftOut ?? [])].sort()).toEqual(Object.keys(more).sort());

  const found = backboneWeights(checkpoint);
  expect(found).toMatchObject({ naming: nameMaps[key].name, prefix });
  expect([...found.tensors.keys()].sort()).toEqual(Object.keys(module.parameterShapes).sort());
  tf.dispose([params, own]);
});

test("knows the names in which transformers saves a ViT", async () => {
  const checkpoint = await foreign(vit, "huggingFaceVit");
  const names = [...checkpoint.tensors.keys()].filter((name) => !/layer\.0\./.test(name)).sort();
  const layer = "encoder.layer.11.";
  const pairs = (...stems: string[]) => stems.flatMap((stem) => [`${stem}.bias`, `${stem}.weight`]);
  expect(names).toEqual([
    "embeddings.cls_token",
    ...pairs("embeddings.patch_embeddings.projection"),
    "embeddings.position_embeddings",
    ...pairs(
      `${layer}attention.attention.key`,
      `${layer}attention.attention.query`,
      `${layer}attention.attention.value`,
      `${layer}attention.output.dense`,
      `${layer}intermediate.dense`,
      `${layer}layernorm_after`,
      `${layer}layernorm_before`,
      `${layer}output.dense`,
      "layernorm",
    ),
  ]);
  const all = numbered(vit);
  const { data: qkv } = all["blocks.11.attn.qkv.weight"] as TensorData;
  const key = await checkpoint.read(`${layer}attention.attention.key.weight`);
  expect([...key.data]).toEqual([...qkv.slice(4, 8)]);
  expect(key.shape).toEqual([2, 2]);
});

test("tells what is called otherwise, what is joined, and what is left out", async () => {
  const more = classifier("classifier");
  const checkpoint = await foreign(vit, "huggingFaceVit", { prefix: "vit.", more });
  let report: LoadReport | undefined;
  const onReport = (told: LoadReport) => {
    report = told;
  };
  tf.dispose(await loadWeights(vit, checkpoint, { onReport }));
  expect(report?.renamed).toContainEqual({
    from: ["query", "key", "value"].map(
      (part) => `vit.encoder.layer.0.attention.attention.${part}.bias`,
    ),
    to: "blocks.0.attn.qkv.bias",
  });
  expect(report?.renamed).toHaveLength(Object.keys(vit.parameterShapes).length);
});

test("a part that is missing is a parameter that is missing, and the others are unexpected", async () => {
  const checkpoint = await foreign(vit, "huggingFaceVit");
  const tensors = new Map(checkpoint.tensors);
  tensors.delete("encoder.layer.0.attention.attention.key.bias");
  await expect(loadWeights(vit, { ...checkpoint, tensors })).rejects.toThrow(
    new CheckpointError(
      [
        "w: expected the module's 30 parameters in the names of Hugging Face ViT, got others",
        "  missing (1): blocks.0.attn.qkv.bias",
        "  unexpected (2): encoder.layer.0.attention.attention.query.bias, encoder.layer.0.attention.attention.value.bias",
      ].join("\n"),
    ),
  );
});

test("reads some rows across the parts", async () => {
  const found = backboneWeights(await foreign(vit, "huggingFaceVit"));
  const whole = await found.read("blocks.0.attn.qkv.weight");
  expect(whole.shape).toEqual([6, 2]);
  for (const [first, count] of [
    [0, 6],
    [1, 4],
    [3, 1],
    [5, 1],
    [2, 0],
  ] as const) {
    const some = await found.readRows("blocks.0.attn.qkv.weight", first, count);
    expect(some.shape).toEqual([count, 2]);
    expect([...some.data]).toEqual([...whole.data.slice(2 * first, 2 * (first + count))]);
  }
  await expect(found.readRows("blocks.0.attn.qkv.weight", 5, 2)).rejects.toThrow(
    'w: "blocks.0.attn.qkv.weight": expected some of its 6 rows, got 2 from 5',
  );
  await expect(found.read("head.weight")).rejects.toThrow(
    'w: expected a tensor "head.weight", got 30 of other names',
  );
});

test("refuses parts that are not alike", async () => {
  const checkpoint = await foreign(vit, "huggingFaceVit");
  const tensors = new Map(checkpoint.tensors);
  tensors.set("encoder.layer.0.attention.attention.value.bias", { dtype: "F32", shape: [3] });
  await expect(loadWeights(vit, { ...checkpoint, tensors })).rejects.toThrow(
    "w: tensor encoder.layer.0.attention.attention.value.bias: expected F32 [2], as " +
      "encoder.layer.0.attention.attention.query.bias, got F32 [3]",
  );
});

test("takes the reference's classifier wherever it lies", async () => {
  const linear = { parameterShapes: { weight: [2, 2], bias: [2] } };
  for (const prefix of ["state_dict.module.linear.", "linear.", "module.linear.", ""]) {
    const file = {
      [`${prefix}weight`]: float32([2, 2], [1, 2, 3, 4]),
      [`${prefix}bias`]: float32([2], [5, 6]),
    };
    const params = await loadWeights(linear, await inMemory(file));
    expect(values(params)).toEqual({
      weight: [
        [2, 2],
        [1, 2, 3, 4],
      ],
      bias: [[2], [5, 6]],
    });
    tf.dispose(params);
  }
});

test("brings a tensor to another shape only when it is told how, and says so", async () => {
  const file = { ...numbered(vit), pos_embed: float32([1, 10, 2], new Array(20).fill(2)) };
  const before = tf.memory().numTensors;
  let report: LoadReport | undefined;
  const params = await loadWeights(vit, await inMemory(file), {
    reshape: (name, value, [, count = 0]) =>
      name === "pos_embed" ? tf.slice(value, [0, 0, 0], [1, count, 2]) : undefined,
    onReport: (told) => {
      report = told;
    },
  });
  expect(params.pos_embed?.shape).toEqual([1, 5, 2]);
  expect(report?.reshaped).toEqual([{ name: "pos_embed", from: [1, 10, 2], to: [1, 5, 2] }]);
  tf.dispose(params);
  await expect(
    loadWeights(vit, await inMemory(file), { reshape: () => undefined }),
  ).rejects.toThrow("of another shape (1): pos_embed expected [1, 5, 2], got [1, 10, 2]");
  expect(tf.memory().numTensors).toBe(before);
});

test("says what a naming lacks, and what is no backbone", async () => {
  const stored = storedTensors(await inMemory({ "mlp.0.weight": float32([1], [0]) }));
  expect(() => renameWeights(stored, nameMaps.huggingFaceVit)).toThrow(
    new CheckpointError("mlp.0.weight: expected a tensor that Hugging Face ViT has, got another"),
  );
  const other = await inMemory({ "mlp.0.weight": float32([1], [0]) });
  expect(() => backboneWeights(other)).toThrow(
    new CheckpointError(
      "w: expected the weights of a Vision Transformer or a ResNet, got mlp.0.weight",
    ),
  );
});
