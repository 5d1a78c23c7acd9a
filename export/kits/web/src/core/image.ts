/** What pixels are here: row major arrays with their size. */

export interface Size {
  readonly height: number;
  readonly width: number;
}

/** A photo as a canvas gives it: R G B A, 8 bits each; alpha is not read. */
export interface Photo extends Size {
  readonly data: Uint8ClampedArray;
}

/** One channel of floats. */
export interface Plane extends Size {
  readonly data: Float32Array;
}

/** The code of a mask of 1 at the photo's size: 16 bits, half the memory of floats. */
export const maskCodes = 65535;

export function plane(height: number, width: number): Plane {
  return { height, width, data: new Float32Array(height * width) };
}

export function clip(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}

/** To the nearest integer, halves to the even one, as Python and NumPy round. */
export function rint(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  if (rest !== 0.5) return rest < 0.5 ? down : down + 1;
  return down % 2 === 0 ? down : down + 1;
}

export function mean(values: ArrayLike<number>, start = 0, stop = values.length): number {
  let sum = 0;
  for (let i = start; i < stop; i++) sum += values[i]!;
  return sum / (stop - start);
}

/** The median; of an even number of values the mean of the middle two. */
export function median(values: number[]): number {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
