/**
 * The rule "enlarge_mask": a guided filter (He, Sun, Tang 2013). Within a window of the small photo the mask is an affine
 * function of colour, alpha = a . I + b; the function's coefficients are enlarged and meet the photo's own pixels.
 */

import { maskRidge, maskSnap, maskWindowPx } from "../contract";
import type { Plane, Size } from "./image";
import { extreme } from "./parts";

/** The mask as a local function of colour, at the model's size. */
export interface MatteModel extends Size {
  readonly slope: readonly [Plane, Plane, Plane];
  readonly offset: Plane;
  readonly low: Plane;
  readonly high: Plane;
}

/** Fits the coefficients where the mask is not the same all around; `rgb` are the bytes that the model saw. */
export function fitMatte(rgb: Uint8Array, mask: Plane): MatteModel {
  const { height, width } = mask;
  const count = height * width;
  const low = extreme(mask.data, mask, maskWindowPx, 1);
  const high = extreme(mask.data, mask, maskWindowPx, -1);
  const varies = Uint8Array.from(high, (h, i) => (h - low[i]! > maskSnap ? 1 : 0));
  const soft = extreme(varies, mask, maskWindowPx, -1);
  const alpha = Float64Array.from(mask.data);
  const colour = [0, 1, 2].map((c) => Float64Array.from({ length: count }, (_, i) => rgb[3 * i + c]! / 255));
  const box = (values: Float64Array): Float64Array => boxMean(values, mask, maskWindowPx);
  const product = (a: Float64Array, b: Float64Array): Float64Array => a.map((v, i) => v * b[i]!);
  const means = colour.map(box);
  const meanAlpha = box(alpha);
  const second = PAIRS.map(([i, j]) => box(product(colour[i]!, colour[j]!)));
  const mixed = colour.map((c) => box(product(c, alpha)));
  const slope = colour.map(() => new Float64Array(count));
  const offset = alpha.slice();
  for (let k = 0; k < count; k++) {
    if (!soft[k]) continue;
    const covariance = PAIRS.map(([i, j], p) => second[p]![k]! - means[i]![k]! * means[j]![k]!);
    const withAlpha = mixed.map((m, c) => m[k]! - means[c]![k]! * meanAlpha[k]!);
    const a = solve3(covariance, withAlpha, maskRidge); // (S_k + ridge)^-1 cov(I, alpha)
    offset[k] = meanAlpha[k]! - a[0] * means[0]![k]! - a[1] * means[1]![k]! - a[2] * means[2]![k]!;
    a.forEach((value, c) => (slope[c]![k] = value));
  }
  // a pixel lies in many windows: their functions are averaged, hard pixels' own counting as constants
  const averaged = (values: Float64Array): Plane => {
    const smooth = box(values);
    return { height, width, data: Float32Array.from(values, (v, k) => (soft[k] ? smooth[k]! : v)) };
  };
  return {
    height,
    width,
    slope: [averaged(slope[0]!), averaged(slope[1]!), averaged(slope[2]!)],
    offset: averaged(offset),
    low: { height, width, data: low },
    high: { height, width, data: high },
  };
}

const PAIRS: readonly (readonly [number, number])[] = [[0, 0], [0, 1], [0, 2], [1, 1], [1, 2], [2, 2]];

/** Solves (S + ridge) a = b for a symmetric 3x3 S, given as xx xy xz yy yz zz, by its adjugate. */
function solve3(s: number[], b: number[], ridge: number): [number, number, number] {
  const [xx, xy, xz, yy, yz, zz] = [s[0]! + ridge, s[1]!, s[2]!, s[3]! + ridge, s[4]!, s[5]! + ridge];
  const [c0, c1, c2] = [yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy];
  const [c11, c12, c22] = [xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy];
  const determinant = xx * c0 + xy * c1 + xz * c2;
  const [p, q, r] = [b[0]!, b[1]!, b[2]!];
  return [
    (c0 * p + c1 * q + c2 * r) / determinant,
    (c1 * p + c11 * q + c12 * r) / determinant,
    (c2 * p + c12 * q + c22 * r) / determinant,
  ];
}

/** The mean of the square window around each pixel, borders repeated. */
function boxMean(values: Float64Array, { height, width }: Size, reach: number): Float64Array {
  const side = 2 * reach + 1;
  const across = new Float64Array(values.length);
  const both = new Float64Array(values.length);
  const at = (i: number, last: number): number => (i < 0 ? 0 : i > last ? last : i);
  for (let y = 0; y < height; y++) {
    const row = y * width;
    let sum = 0;
    for (let u = -reach; u <= reach; u++) sum += values[row + at(u, width - 1)]!;
    for (let x = 0; x < width; x++) {
      across[row + x] = sum / side;
      sum += values[row + at(x + reach + 1, width - 1)]! - values[row + at(x - reach, width - 1)]!;
    }
  }
  for (let x = 0; x < width; x++) {
    let sum = 0;
    for (let v = -reach; v <= reach; v++) sum += across[at(v, height - 1) * width + x]!;
    for (let y = 0; y < height; y++) {
      both[y * width + x] = sum / side;
      sum += across[at(y + reach + 1, height - 1) * width + x]! - across[at(y - reach, height - 1) * width + x]!;
    }
  }
  return both;
}
