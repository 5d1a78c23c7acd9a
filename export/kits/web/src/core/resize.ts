/** The resize rule: area average where an axis shrinks, bilinear with half-pixel centres where it grows. */

import { type Frame, mirrored } from "./frame";
import { clip, plane, type Photo, type Plane, rint, type Size } from "./image";

/** Where a target pixel reads on one axis: two neighbours and the share of the second. */
export interface Taps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly share: Float32Array;
}

/** Bilinear taps: source = (target + 0.5) * scale - 0.5, for the targets from start to stop. */
export function bilinear(source: number, target: number, start = 0, stop = target): Taps {
  const count = stop - start;
  const taps = { first: new Int32Array(count), second: new Int32Array(count), share: new Float32Array(count) };
  for (let i = 0; i < count; i++) {
    const at = clip(((i + start + 0.5) * source) / target - 0.5, 0, source - 1);
    const first = Math.floor(at);
    taps.first[i] = first;
    taps.second[i] = Math.min(first + 1, source - 1);
    taps.share[i] = at - first;
  }
  return taps;
}

/** A plane of any numbers. */
type Readable = Size & { readonly data: ArrayLike<number> };

/** Where a small pixel lies over large ones on one axis: the first and the last of them, and the weights of all. */
export interface Cover {
  readonly first: Int32Array;
  readonly last: Int32Array;
  /** Of the first, of the last where it is another one, and of each between. */
  readonly head: Float64Array;
  readonly tail: Float64Array;
  readonly inner: number;
}

/** Area average: the shares of the large pixels that lie under each small one. */
export function area(large: number, small: number): Cover {
  const scale = large / small;
  const cover = { first: new Int32Array(small), last: new Int32Array(small), head: new Float64Array(small), tail: new Float64Array(small), inner: 1 / scale };
  for (let i = 0; i < small; i++) {
    const [from, to] = [i * scale, Math.min((i + 1) * scale, large)];
    const first = Math.min(Math.floor(from + 1e-9), large - 1);
    const last = Math.max(first, Math.min(Math.ceil(to - 1e-9), large) - 1);
    cover.first[i] = first;
    cover.last[i] = last;
    cover.head[i] = first === last ? 1 : (first + 1 - from) / scale;
    cover.tail[i] = (to - last) / scale;
  }
  return cover;
}

/** The weight of a large pixel under a small one. */
function weightOf(cover: Cover, small: number, at: number): number {
  if (at === cover.first[small]) return cover.head[small]!;
  return at === cover.last[small] ? cover.tail[small]! : cover.inner;
}

/** The framed photo at the model's size, R G B rounded to 8 bits: what the model sees, times 255. */
export function toModelSize(photo: Photo, frame: Frame, model: Size): Uint8Array {
  const rows = area(frame.height, Math.min(frame.height, model.height));
  const columns = area(frame.width, Math.min(frame.width, model.width));
  const [fromRow, fromColumn] = [
    mirrored(frame.height, frame.top, photo.height),
    mirrored(frame.width, frame.left, photo.width),
  ];
  const [height, width] = [rows.first.length, columns.first.length];
  const shrunk = new Uint8Array(height * width * 3);
  const sums = new Float64Array(width * 3);
  const { data } = photo;
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    for (let v = rows.first[y]!; v <= rows.last[y]!; v++) {
      const weight = weightOf(rows, y, v);
      const line = fromRow[v]! * photo.width;
      for (let x = 0; x < width; x++) {
        const first = columns.first[x]!;
        const last = columns.last[x]!;
        const share = columns.head[x]!;
        let pixel = 4 * (line + fromColumn[first]!);
        let red = share * data[pixel]!;
        let green = share * data[pixel + 1]!;
        let blue = share * data[pixel + 2]!;
        for (let u = first + 1; u <= last; u++) {
          const part = u === last ? columns.tail[x]! : columns.inner;
          pixel = 4 * (line + fromColumn[u]!);
          red += part * data[pixel]!;
          green += part * data[pixel + 1]!;
          blue += part * data[pixel + 2]!;
        }
        sums[3 * x]! += weight * red;
        sums[3 * x + 1]! += weight * green;
        sums[3 * x + 2]! += weight * blue;
      }
    }
    for (let i = 0; i < sums.length; i++) shrunk[y * sums.length + i] = rint(sums[i]!);
  }
  return enlargeBytes(shrunk, { height, width }, model);
}

/** R G B bytes enlarged bilinearly along the axes that are still too short. */
function enlargeBytes(rgb: Uint8Array, from: Size, to: Size): Uint8Array {
  if (from.height === to.height && from.width === to.width) return rgb;
  const [down, across] = [bilinear(from.height, to.height), bilinear(from.width, to.width)];
  const large = new Uint8Array(to.height * to.width * 3);
  for (let y = 0; y < to.height; y++) {
    const [above, below, v] = [down.first[y]! * from.width, down.second[y]! * from.width, down.share[y]!];
    for (let x = 0; x < to.width; x++) {
      const [left, right, u] = [across.first[x]!, across.second[x]!, across.share[x]!];
      for (let c = 0; c < 3; c++) {
        const top = rgb[3 * (above + left) + c]! * (1 - u) + rgb[3 * (above + right) + c]! * u;
        const bottom = rgb[3 * (below + left) + c]! * (1 - u) + rgb[3 * (below + right) + c]! * u;
        large[3 * (y * to.width + x) + c] = Math.round(top * (1 - v) + bottom * v);
      }
    }
  }
  return large;
}

/** One row of a plane enlarged downwards alone, into `line`. */
export function mixedRow(from: Readable, down: Taps, y: number, line: Float32Array): void {
  const [above, below, v] = [down.first[y]! * from.width, down.second[y]! * from.width, down.share[y]!];
  const data = from.data;
  for (let x = 0; x < from.width; x++) line[x] = data[above + x]! * (1 - v) + data[below + x]! * v;
}

/** One row of an enlarged plane, into `out`; `line` is room for a row of the plane. */
export function enlargedRow(from: Readable, down: Taps, y: number, across: Taps, line: Float32Array, out: Float32Array): void {
  mixedRow(from, down, y, line);
  const { first, second, share } = across;
  for (let x = 0; x < out.length; x++) {
    const left = line[first[x]!]!;
    out[x] = left + (line[second[x]!]! - left) * share[x]!;
  }
}

/** A plane at another size: area average where it shrinks along both axes, bilinear where it grows. */
export function resizePlane(from: Readable, size: Size): Plane {
  const to = plane(size.height, size.width);
  if (size.height <= from.height && size.width <= from.width) {
    const [rows, columns] = [area(from.height, size.height), area(from.width, size.width)];
    for (let y = 0; y < size.height; y++) {
      for (let v = rows.first[y]!; v <= rows.last[y]!; v++) {
        const weight = weightOf(rows, y, v);
        for (let x = 0; x < size.width; x++) {
          let sum = 0;
          const last = columns.last[x]!;
          for (let u = columns.first[x]!; u <= last; u++) sum += weightOf(columns, x, u) * from.data[v * from.width + u]!;
          to.data[y * size.width + x]! += weight * sum;
        }
      }
    }
    return to;
  }
  const [down, across] = [bilinear(from.height, size.height), bilinear(from.width, size.width)];
  const line = new Float32Array(from.width);
  for (let y = 0; y < size.height; y++)
    enlargedRow(from, down, y, across, line, to.data.subarray(y * size.width, (y + 1) * size.width));
  return to;
}
