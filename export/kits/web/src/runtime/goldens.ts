/** The self-check: every file on the bundle's golden inputs, against the float64 outputs and their tolerances. */

import { compare, type Difference, passes, type Tolerance } from "../core/compare";
import { type Manifest, MODELS, tfliteModels } from "./bundle";
import { download, downloadJson } from "./download";
import { type Arrays, ModelRunner, type Runtime } from "./litert";

interface Index {
  readonly aperture: number;
  readonly focus: number;
  readonly arrays: Record<string, { file: string; dtype: keyof typeof READ; shape: number[] }>;
  readonly files: readonly {
    path: string;
    entry?: string;
    model: string;
    size: string;
    inputs: Record<string, string>;
    outputs: Record<string, { golden: string; shape: number[]; tolerance: Tolerance }>;
  }[];
}

/** One output of one file. */
export interface CheckRow {
  readonly file: string;
  readonly size: string;
  readonly output: string;
  readonly backend: string;
  readonly difference: Difference;
  readonly tolerance: Tolerance;
  readonly passed: boolean;
  readonly ms: number;
}

const READ = {
  uint8: (b: ArrayBuffer) => Float32Array.from(new Uint8Array(b), (v) => v / 255),
  uint16: (b: ArrayBuffer) => Float32Array.from(new Uint16Array(b), (v) => v / 65535),
  float64: (b: ArrayBuffer) => new Float64Array(b),
};

/** Runs the files of a precision that a portrait takes one after the other and hands each row out as it is found. */
export async function* selfCheck(bundle: string, precision: string, runtime: Runtime): AsyncGenerator<CheckRow> {
  const manifest = await downloadJson<Manifest>(`${bundle}manifest.json`);
  const entries = tfliteModels(manifest, precision).filter((m) => MODELS.includes(m.name));
  const index = await downloadJson<Index>(`${bundle}goldens/index.json`);
  const golden = async (name: string): Promise<Float32Array | Float64Array> => {
    const array = index.arrays[name];
    if (!array) throw new Error(`goldens/index.json: expected the array ${name}, found none; export the bundle again`);
    const bytes = await download(`${bundle}goldens/${array.file}`);
    return READ[array.dtype](bytes.buffer as ArrayBuffer);
  };
  for (const file of index.files) {
    const entry = entries.find((m) => m.path === file.path && (m.entry ?? "") === (file.entry ?? ""));
    if (!entry) continue;
    const runner = await ModelRunner.open(await download(bundle + file.path), entry, runtime);
    const inputs: Arrays = {};
    for (const { name } of entry.inputs) {
      const array = file.inputs[name];
      const scalar = name === "aperture" ? index.aperture : index.focus;
      inputs[name] = array ? Float32Array.from(await golden(array)) : Float32Array.of(scalar);
    }
    const start = performance.now();
    const outputs = await runner.run(inputs);
    const ms = performance.now() - start;
    for (const [output, { golden: name, shape, tolerance }] of Object.entries(file.outputs)) {
      const difference = compare(outputs[output]!, await golden(name), shape);
      const passed = passes(tolerance, difference);
      yield { file: file.path, size: file.size, output, backend: runner.backend, difference, tolerance, passed, ms };
    }
    runner.delete();
  }
}
