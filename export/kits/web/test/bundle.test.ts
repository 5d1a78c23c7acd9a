/** What the kit reads of a manifest, and what it refuses. */

import { expect, it } from "vitest";
import { contractVersion } from "../src/contract";
import { commonSizes, type Manifest, type ModelEntry, parseSize, tfliteModels } from "../src/runtime/bundle";

const tensor = { name: "rgb", shape: [1, 64, 96, 3], layout: "NHWC", dtype: "float32" };
const model = (name: string, size: string, more: Partial<ModelEntry> = {}): ModelEntry => ({
  name, size, target: "tflite", precision: "fp16", path: `${name}_${size}`, bytes: 1, inputs: [tensor], outputs: [], ...more,
});
const manifest = (...models: ModelEntry[]): Manifest => ({ contract_version: contractVersion, models });

it("takes the files of one precision", () => {
  const found = tfliteModels(manifest(model("filter", "64x96"), model("filter", "64x96", { precision: "fp32" }), model("filter", "64x96", { target: "onnx" })), "fp16");
  expect(found).toHaveLength(1);
});

it("offers the sizes at which every model is there", () => {
  const models = [model("perception", "64x96"), model("filter", "64x96"), model("filter", "96x64")];
  expect(commonSizes(models, ["perception", "filter"])).toEqual([{ height: 64, width: 96 }]);
});

it("refuses another contract, another layout and no size", () => {
  expect(() => tfliteModels({ ...manifest(), contract_version: "4.0.0" }, "fp16")).toThrow("use the kit of the bundle's version");
  const planes = model("filter", "64x96", { inputs: [{ ...tensor, layout: "NCHW" }] });
  expect(() => tfliteModels(manifest(planes), "fp16")).toThrow("expected NHWC float32 for rgb, found NCHW");
  expect(() => parseSize("64")).toThrow("expected a size such as 512x384");
});
