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

interface Share {
  readonly at: number;
  readonly weight: number;
}

/** Area average: for each of the small places, the shares of the large ones that lie under it. */
export function area(large: number, small: number): Share[][] {
  const scale = large / small;
  return Array.from({ length: small }, (_, i) => {
    const [from, to] = [i * scale, Math.min((i + 1) * scale, large)];
    const shares: Share[] = [];
    for (let at = Math.floor(from); at < to; at++) {
      const covered = Math.min(to, at + 1) - Math.max(from, at);
      if (covered > 1e-9) shares.push({ at, weight: covered / scale });
    }
    return shares;
  });
}

/** The framed photo at the model's size, R G B rounded to 8 bits: what the model sees, times 255. */
export function toModelSize(photo: Photo, frame: Frame, model: Size): Uint8Array {
  const rows = area(frame.height, Math.min(frame.height, model.height));
  const columns = area(frame.width, Math.min(frame.width, model.width));
  const [fromRow, fromColumn] = [
    mirrored(frame.height, frame.top, photo.height),
    mirrored(frame.width, frame.left, photo.width),
  ];
  const width = columns.length;
  const shrunk = new Uint8Array(rows.length * width * 3);
  const sums = new Float64Array(width * 3);
  rows.forEach((shares, y) => {
    sums.fill(0);
    for (const { at, weight } of shares) {
      const line = fromRow[at]! * photo.width * 4;
      for (let x = 0; x < width; x++) {
        for (const column of columns[x]!) {
          const pixel = line + fromColumn[column.at]! * 4;
          const both = weight * column.weight;
          sums[3 * x]! += both * photo.data[pixel]!;
          sums[3 * x + 1]! += both * photo.data[pixel + 1]!;
          sums[3 * x + 2]! += both * photo.data[pixel + 2]!;
        }
      }
    }
    for (let i = 0; i < sums.length; i++) shrunk[y * sums.length + i] = rint(sums[i]!);
  });
  return enlargeBytes(shrunk, { height: rows.length, width }, model);
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

/** One row of an enlarged plane: `row` and `v` from the taps down, columns from the taps across, into `out`. */
export function enlargedRow(from: Readable, down: Taps, y: number, across: Taps, line: Float32Array, out: Float32Array): void {
  const [above, below, v] = [down.first[y]! * from.width, down.second[y]! * from.width, down.share[y]!];
  const data = from.data;
  for (let x = 0; x < from.width; x++) line[x] = data[above + x]! * (1 - v) + data[below + x]! * v;
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
    rows.forEach((shares, y) => {
      for (let x = 0; x < size.width; x++) {
        let sum = 0;
        for (const row of shares)
          for (const column of columns[x]!)
            sum += row.weight * column.weight * from.data[row.at * from.width + column.at]!;
        to.data[y * size.width + x] = sum;
      }
    });
    return to;
  }
  const [down, across] = [bilinear(from.height, size.height), bilinear(from.width, size.width)];
  const line = new Float32Array(from.width);
  for (let y = 0; y < size.height; y++)
    enlargedRow(from, down, y, across, line, to.data.subarray(y * size.width, (y + 1) * size.width));
  return to;
}
