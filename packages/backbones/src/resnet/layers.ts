import type { ResnetSizes } from "./sizes.ts";

/** A convolution without bias and the batch normalisation behind it, by the prefixes of their names. */
export interface Layer {
  readonly conv: string;
  readonly norm: string;
  readonly inputs: number;
  readonly outputs: number;
  /** Rows and columns of the convolution's kernel, which is centred. */
  readonly kernel: number;
  readonly stride: number;
}

/** Layers one after the other, and a way around them, which is a layer where shapes change. */
export interface Block {
  readonly layers: readonly Layer[];
  readonly projection: Layer | undefined;
}

/** All layers of a ResNet; between stem and blocks stands a max pooling of 3 x 3 with stride 2. */
export interface Layers {
  readonly stem: Layer;
  readonly blocks: readonly Block[];
  /** Channels of the last block. */
  readonly outputs: number;
}

/** The layers of torchvision's ResNet, named as there. */
export function resnetLayers({ block, blocks, width = 64 }: ResnetSizes): Layers {
  const expansion = block === "basic" ? 1 : 4;
  const all: Block[] = [];
  let channels = width;
  blocks.forEach((count, stage) => {
    const inner = width * 2 ** stage;
    const outputs = expansion * inner;
    for (let i = 0; i < count; i++) {
      // The first block of every stage but the first halves rows and columns.
      const stride = stage > 0 && i === 0 ? 2 : 1;
      const prefix = `layer${stage + 1}.${i}.`;
      const shape = { inputs: channels, inner, outputs, stride };
      all.push({
        layers: block === "basic" ? basic(prefix, shape) : bottleneck(prefix, shape),
        projection:
          stride === 1 && channels === outputs
            ? undefined
            : {
                conv: `${prefix}downsample.0.`,
                norm: `${prefix}downsample.1.`,
                inputs: channels,
                outputs,
                kernel: 1,
                stride,
              },
      });
      channels = outputs;
    }
  });
  const stem = numbered("", 1, { inputs: 3, outputs: width, kernel: 7, stride: 2 });
  return { stem, blocks: all, outputs: channels };
}

interface BlockShape {
  readonly inputs: number;
  readonly inner: number;
  readonly outputs: number;
  readonly stride: number;
}

function basic(prefix: string, { inputs, outputs, stride }: BlockShape): readonly Layer[] {
  return [
    numbered(prefix, 1, { inputs, outputs, kernel: 3, stride }),
    numbered(prefix, 2, { inputs: outputs, outputs, kernel: 3, stride: 1 }),
  ];
}

/** The stride is that of the middle convolution: "version 1.5" of the paper's block. */
function bottleneck(
  prefix: string,
  { inputs, inner, outputs, stride }: BlockShape,
): readonly Layer[] {
  return [
    numbered(prefix, 1, { inputs, outputs: inner, kernel: 1, stride: 1 }),
    numbered(prefix, 2, { inputs: inner, outputs: inner, kernel: 3, stride }),
    numbered(prefix, 3, { inputs: inner, outputs, kernel: 1, stride: 1 }),
  ];
}

function numbered(prefix: string, i: number, shape: Omit<Layer, "conv" | "norm">): Layer {
  return { ...shape, conv: `${prefix}conv${i}.`, norm: `${prefix}bn${i}.` };
}
