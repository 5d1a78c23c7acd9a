/** What Python computed: arrays by name, written by the project's tests. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Photo, Plane, Size } from "../src/core/image";

export const FOLDER = process.env["PORTRAITURE_FIXTURES"] ?? "";
if (!FOLDER) throw new Error("PORTRAITURE_FIXTURES: expected a folder of fixtures; run make test-apps");

interface Stored {
  readonly dtype: "uint8" | "float32" | "float64";
  readonly shape: readonly number[];
  readonly data: string;
}

const READ = { uint8: Uint8Array, float32: Float32Array, float64: Float64Array };

export class Case {
  readonly name: string;
  private readonly values: Record<string, Stored | number | string | number[]>;

  constructor(file: string) {
    this.name = file.replace(/\.json$/, "");
    this.values = JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as typeof this.values;
  }

  array(name: string): Uint8Array | Float32Array | Float64Array {
    const { dtype, data } = this.stored(name);
    const bytes = Buffer.from(data, "base64");
    return new READ[dtype](bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);
  }

  plane(name: string): Plane {
    return { ...this.size(name), data: Float32Array.from(this.array(name)) };
  }

  /** h x w x 3 as floats. */
  plane3(name: string): Float32Array {
    return Float32Array.from(this.array(name));
  }

  size(name: string): Size {
    const [height, width] = this.stored(name).shape as [number, number];
    return { height, width };
  }

  photo(name: string): Photo {
    const rgb = this.array(name);
    const { height, width } = this.size(name);
    const data = new Uint8ClampedArray(height * width * 4).fill(255);
    for (let i = 0; i < height * width; i++) for (let c = 0; c < 3; c++) data[4 * i + c] = rgb[3 * i + c]!;
    return { height, width, data };
  }

  value<T>(name: string): T {
    return this.values[name] as T;
  }

  private stored(name: string): Stored {
    return this.values[name] as Stored;
  }
}

export const cases = readdirSync(FOLDER).filter((f) => f.startsWith("case_") && f.endsWith(".json")).map((f) => new Case(f));

/** The largest and the mean difference of two arrays of equal length. */
export function apart(found: ArrayLike<number>, expected: ArrayLike<number>): { largest: number; mean: number } {
  if (found.length !== expected.length) throw new Error(`expected ${expected.length} values, found ${found.length}`);
  let [largest, sum] = [0, 0];
  for (let i = 0; i < found.length; i++) {
    const difference = Math.abs(found[i]! - expected[i]!);
    largest = Number.isNaN(difference) ? Infinity : Math.max(largest, difference);
    sum += difference;
  }
  return { largest, mean: sum / found.length };
}

/** R G B without the fourth channel. */
export function colours(rgba: ArrayLike<number>): Float32Array {
  return Float32Array.from({ length: (rgba.length / 4) * 3 }, (_, i) => rgba[Math.floor(i / 3) * 4 + (i % 3)]!);
}
