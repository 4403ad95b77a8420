// Whole training runs against the reference's figures.
import { vi } from "vitest";

vi.setConfig({ testTimeout: 600_000 });
await import("../../trainer/test/trajectory.test.ts");
