/** Connected parts of a set of pixels, and windows around pixels. */

import type { Size } from "./image";

export interface Part {
  readonly label: number;
  readonly area: number;
  readonly top: number;
  /** The row after the last. */
  readonly bottom: number;
}

/** Labels 1.. of the 8-connected parts of what is not 0, and their boxes. */
export function parts(pixels: Uint8Array, { height, width }: Size): { labels: Int32Array; found: Part[] } {
  const labels = new Int32Array(pixels.length);
  const found: Part[] = [];
  const stack: number[] = [];
  for (let start = 0; start < pixels.length; start++) {
    if (!pixels[start] || labels[start]) continue;
    const label = found.length + 1;
    let [count, top, bottom] = [0, height, 0];
    labels[start] = label;
    stack.push(start);
    while (stack.length) {
      const at = stack.pop()!;
      const [y, x] = [Math.floor(at / width), at % width];
      count++;
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
      for (let v = Math.max(y - 1, 0); v <= Math.min(y + 1, height - 1); v++) {
        for (let u = Math.max(x - 1, 0); u <= Math.min(x + 1, width - 1); u++) {
          const next = v * width + u;
          if (pixels[next] && !labels[next]) {
            labels[next] = label;
            stack.push(next);
          }
        }
      }
    }
    found.push({ label, area: count, top, bottom });
  }
  return { labels, found };
}

/** The least (sign 1) or the largest (sign -1) value of the square window around each pixel. */
export function extreme<T extends Float32Array | Uint8Array>(values: T, { height, width }: Size, reach: number, sign: 1 | -1): T {
  const across = values.slice() as T;
  const both = values.slice() as T;
  const better = (a: number, b: number): number => (sign * a <= sign * b ? a : b);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let best = values[y * width + x]!;
      for (let u = Math.max(x - reach, 0); u <= Math.min(x + reach, width - 1); u++) best = better(best, values[y * width + u]!);
      across[y * width + x] = best;
    }
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let best = across[y * width + x]!;
      for (let v = Math.max(y - reach, 0); v <= Math.min(y + reach, height - 1); v++) best = better(best, across[v * width + x]!);
      both[y * width + x] = best;
    }
  }
  return both;
}
