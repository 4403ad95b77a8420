// A ResNet forward and backward against PyTorch's figures: the suite that all backends pass.
import { vi } from "vitest";

vi.setConfig({ testTimeout: 600_000 });
await import("../../backbones/test/resnet.test.ts");
