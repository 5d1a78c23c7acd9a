/** Connected parts of a set of pixels, and windows around pixels. */

import type { Size } from "./image";

export interface Part {
  readonly label: number;
  readonly area: number;
  /** First row and column, and those after the last. */
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/** Labels 1.. of the 8-connected parts of what is not 0, and their boxes. */
export function parts(pixels: Uint8Array, { height, width }: Size): { labels: Int32Array; found: Part[] } {
  const labels = new Int32Array(pixels.length);
  const found: Part[] = [];
  const stack: number[] = [];
  for (let start = 0; start < pixels.length; start++) {
    if (!pixels[start] || labels[start]) continue;
    const label = found.length + 1;
    let [count, top, left, bottom, right] = [0, height, width, 0, 0];
    labels[start] = label;
    stack.push(start);
    while (stack.length) {
      const at = stack.pop()!;
      const x = at % width;
      const y = (at - x) / width;
      count++;
      top = Math.min(top, y);
      left = Math.min(left, x);
      bottom = Math.max(bottom, y + 1);
      right = Math.max(right, x + 1);
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
    found.push({ label, area: count, top, left, bottom, right });
  }
  return { labels, found };
}

/** The least value of the square window around each pixel, what lies outside the picture aside. */
export function least<T extends Float32Array | Uint8Array>(values: T, size: Size, reach: number): T {
  return windows(values, size, reach, (line, from, to) => {
    let best = line[from]!;
    for (let i = from + 1; i <= to; i++) if (line[i]! < best) best = line[i]!;
    return best;
  });
}

/** The largest value of the square window around each pixel. */
export function largest<T extends Float32Array | Uint8Array>(values: T, size: Size, reach: number): T {
  return windows(values, size, reach, (line, from, to) => {
    let best = line[from]!;
    for (let i = from + 1; i <= to; i++) if (line[i]! > best) best = line[i]!;
    return best;
  });
}

/** One figure of each square window, found along rows and then along columns. */
function windows<T extends Float32Array | Uint8Array>(
  values: T, { height, width }: Size, reach: number, of: (line: Float32Array, from: number, to: number) => number,
): T {
  const out = values.slice() as T;
  const along = (count: number, length: number, start: (k: number) => number, step: number): void => {
    const line = new Float32Array(length);
    for (let k = 0; k < count; k++) {
      const first = start(k);
      for (let i = 0; i < length; i++) line[i] = out[first + i * step]!;
      for (let i = 0; i < length; i++)
        out[first + i * step] = of(line, Math.max(i - reach, 0), Math.min(i + reach, length - 1));
    }
  };
  along(height, width, (k) => k * width, 1);
  along(width, height, (k) => k, width);
  return out;
}
