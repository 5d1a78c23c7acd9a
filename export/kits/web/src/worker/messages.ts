/** What the page asks of its worker, and what it is told. */

import type { Presence } from "../core/presence";
import type { CheckRow } from "../runtime/goldens";
import type { Backend, Runtime } from "../runtime/litert";

export interface Place {
  readonly bundle: string;
  readonly wasm: string;
  readonly precision: string;
  readonly backend: Backend | "auto";
  readonly threads: number | undefined;
}

export interface Loaded extends Runtime {
  readonly sizes: readonly string[];
}

export interface Asks {
  load: { ask: Place; answer: Loaded };
  photo: { ask: { bitmap: ImageBitmap }; answer: { presence: Presence; size: string; large: boolean; ms: number } };
  /** With `quick` the portrait may be smaller than the photo. */
  render: { ask: { aperture: number; focus: number; quick: boolean }; answer: { bitmap: ImageBitmap; ms: number } };
  focus: { ask: { x: number; y: number }; answer: number };
  view: { ask: { map: "mask" | "depth" }; answer: ImageBitmap };
  check: { ask: Place; answer: readonly CheckRow[] };
}

export type Kind = keyof Asks;

export interface Request<K extends Kind = Kind> {
  readonly id: number;
  readonly kind: K;
  readonly ask: Asks[K]["ask"];
}

export type Reply =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: string }
  | { readonly id: number; readonly progress: readonly [number, number] }
  | { readonly id: number; readonly row: CheckRow };
