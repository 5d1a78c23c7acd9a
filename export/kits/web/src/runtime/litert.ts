/** Runs TFLite files by LiteRT.js, in a classic worker: WebGPU where there is a device, else WASM. */

import { type CompiledModel, loadAndCompile, loadLiteRt, supportsFeature, Tensor } from "@litertjs/core";
import { download } from "./download";
import type { ModelEntry } from "./bundle";

export type Backend = "webgpu" | "wasm";
export type Arrays = Record<string, Float32Array>;

export interface Runtime {
  readonly backend: Backend;
  /** Threads of the WASM runtime. */
  readonly threads: number;
  /** Name of the wasm file without its ending. */
  readonly variant: string;
}

/** Most threads of a model: more gain little on operations as small as the propagation's. Chosen. */
const MOST_THREADS = 4;

/** Threads that leave a core to the page: on two cores, with other work, two took twice as long as one. */
export function threadsFor(cores: number): number {
  return Math.min(Math.max(cores - 1, 1), MOST_THREADS);
}

/** The variants of LiteRT's WASM: with threads, without them, and without relaxed SIMD. */
async function variant(wanted: number): Promise<{ name: string; threads: boolean }> {
  if (!(await supportsFeature("relaxedSimd"))) return { name: "litert_wasm_compat_internal", threads: false };
  const threads = wanted > 1 && self.crossOriginIsolated && (await supportsFeature("threads"));
  return { name: threads ? "litert_wasm_threaded_internal" : "litert_wasm_internal", threads };
}

/**
 * Loads LiteRT's WASM.
 *
 * @param base address of the folder with LiteRT's wasm files, ending in a slash
 * @param backend `auto` takes a WebGPU device that is one, `webgpu` any, `wasm` none
 * @param onBytes is told how many bytes came
 * @param wanted threads, where the page may have any
 */
export async function loadRuntime(
  base: string, backend: Backend | "auto", onBytes: (count: number) => void, wanted = threadsFor(navigator.hardwareConcurrency),
): Promise<Runtime> {
  let { name, threads } = await variant(wanted);
  let wasmBinary: Uint8Array;
  try {
    wasmBinary = await download(`${base}${name}.wasm`, onBytes);
  } catch (error) {
    if (!threads) throw error;
    // without a network there may be only the variant of a first visit, which had no threads
    [name, threads] = ["litert_wasm_internal", false];
    wasmBinary = await download(`${base}${name}.wasm`, onBytes);
  }
  // Emscripten finds its files by the address of the running script, which is our worker's
  Object.assign(self, {
    Module: { wasmBinary, locateFile: (file: string) => base + file, mainScriptUrlOrBlob: `${base}${name}.js` },
  });
  const litert = await loadLiteRt(base, { threads });
  const device = backend === "webgpu" || (backend === "auto" && !(await drawsInSoftware())) ? litert.getWebGpuDevice() : null;
  return { backend: device ? "webgpu" : "wasm", threads: threads ? wanted : 1, variant: name };
}

/** Whether the WebGPU adapter is the processor under another name, many times as slow as WASM. */
async function drawsInSoftware(): Promise<boolean> {
  const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<{ info?: { isFallbackAdapter?: boolean; architecture?: string } } | null> } };
  const info = (await gpu?.requestAdapter())?.info;
  return info?.isFallbackAdapter === true || info?.architecture === "swiftshader";
}

/** One model of a bundle, ready to run. */
export class ModelRunner {
  private constructor(private readonly compiled: CompiledModel, private readonly entry: ModelEntry) {}

  static async open(bytes: Uint8Array, entry: ModelEntry, { backend, threads }: Runtime): Promise<ModelRunner> {
    if (backend === "webgpu") {
      try {
        return new ModelRunner(await loadAndCompile(bytes, { accelerator: "webgpu", gpuOptions: { precision: "fp32" } }), entry);
      } catch (error) {
        console.warn(`${entry.path}: not on WebGPU (${String(error)}); WASM runs it`);
      }
    }
    return new ModelRunner(await loadAndCompile(bytes, { accelerator: "wasm", cpuOptions: { numThreads: threads } }), entry);
  }

  get backend(): string {
    return this.compiled.options.accelerator;
  }

  /** Outputs by name, for inputs by name: flat arrays in the manifest's layout. */
  async run(inputs: Arrays): Promise<Arrays> {
    const tensors: Record<string, Tensor> = {};
    const outputs: Arrays = {};
    const made: Tensor[] = [];
    try {
      for (const { name, shape } of this.entry.inputs) {
        const values = inputs[name];
        const count = shape.reduce((a, b) => a * b, 1);
        if (values?.length !== count) throw new Error(`${this.entry.path}: expected ${count} values of ${name}, found ${values?.length ?? 0}; give an array of the model's size`);
        made.push((tensors[name] = new Tensor(values, [...shape])));
      }
      const given = this.entry.entry ? await this.compiled.run(this.entry.entry, tensors) : await this.compiled.run(tensors);
      for (const { name } of this.entry.outputs) {
        const tensor = given[name];
        if (!tensor) throw new Error(`${this.entry.path}: expected the output ${name}, found none; export the bundle again`);
        outputs[name] = (await tensor.data()).slice() as Float32Array;
      }
      made.push(...Object.values(given));
    } finally {
      made.forEach((tensor) => tensor.delete());
    }
    return outputs;
  }

  delete(): void {
    this.compiled.delete();
  }
}
