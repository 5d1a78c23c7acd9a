/** What the kit reads of a bundle: the manifest's models, and which of them a page serves. */

import { contractVersion, layout } from "../contract";
import type { Size } from "../core/image";

export interface TensorEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly layout: string;
  readonly dtype: string;
}

export interface ModelEntry {
  readonly name: string;
  readonly target: string;
  readonly precision: string;
  readonly size: string;
  readonly path: string;
  readonly entry?: string | null;
  readonly bytes: number;
  readonly inputs: readonly TensorEntry[];
  readonly outputs: readonly TensorEntry[];
}

export interface Manifest {
  readonly contract_version: string;
  readonly models: readonly ModelEntry[];
}

/** The models that a portrait takes: passers-by leave the mask between the two, so that the fused one cannot do it. */
export const MODELS: readonly string[] = ["perception", "filter"];

/** Height and width from the manifest's HxW. */
export function parseSize(text: string): Size {
  const found = /^(\d+)x(\d+)$/.exec(text);
  if (!found) throw new Error(`manifest.json: expected a size such as 512x384, found ${text}; export the bundle again`);
  return { height: Number(found[1]), width: Number(found[2]) };
}

/** The TFLite files of a precision; refuses a bundle of another contract. */
export function tfliteModels(manifest: Manifest, precision: string): ModelEntry[] {
  const [major] = contractVersion.split(".");
  if (manifest.contract_version.split(".")[0] !== major)
    throw new Error(`manifest.json: expected contract ${contractVersion}, found ${manifest.contract_version}; use the kit of the bundle's version`);
  const models = manifest.models.filter((m) => m.target === "tflite" && m.precision === precision);
  for (const model of models)
    for (const tensor of [...model.inputs, ...model.outputs])
      if (tensor.layout !== layout || tensor.dtype !== "float32")
        throw new Error(`manifest.json: expected ${layout} float32 for ${tensor.name}, found ${tensor.layout} ${tensor.dtype}; use the kit of the bundle's version`);
  return models;
}

/** Sizes at which every one of the named models is there. */
export function commonSizes(models: readonly ModelEntry[], names: readonly string[]): Size[] {
  const sizes = [...new Set(models.map((m) => m.size))];
  return sizes.filter((s) => names.every((n) => models.some((m) => m.name === n && m.size === s))).map(parseSize);
}
