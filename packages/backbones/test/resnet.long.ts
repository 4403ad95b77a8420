// With a ResNet-18 in plain JavaScript.
await import("./resnet.test.ts");

export {};
