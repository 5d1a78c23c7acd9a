/**
 * The rule "enlarge_mask": a guided filter (He, Sun, Tang 2013). Within a window of the small photo the mask is an affine
 * function of colour, alpha = a . I + b; the function's coefficients are enlarged and meet the photo's own pixels.
 */

import { maskRidge, maskSnap, maskWindowPx } from "../contract";
import type { Plane, Size } from "./image";
import { largest, least } from "./parts";

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
  const low = least(mask.data, mask, maskWindowPx);
  const high = largest(mask.data, mask, maskWindowPx);
  const varies = Uint8Array.from(high, (h, i) => (h - low[i]! > maskSnap ? 1 : 0));
  const soft = largest(varies, mask, maskWindowPx);
  const alpha = Float64Array.from(mask.data);
  const box = (values: Float64Array): Float64Array => boxMean(values, mask, maskWindowPx);
  const channel = (c: number): Float64Array => alpha.map((_, i) => rgb[3 * i + c]! / 255);
  const meanOfProduct = (a: Float64Array, b: Float64Array): Float64Array => {
    const product = new Float64Array(count);
    for (let i = 0; i < count; i++) product[i] = a[i]! * b[i]!;
    return box(product);
  };
  const [r, g, b] = [channel(0), channel(1), channel(2)];
  const [mr, mg, mb, ma] = [box(r), box(g), box(b), box(alpha)];
  const [rr, rg, rb] = [meanOfProduct(r, r), meanOfProduct(r, g), meanOfProduct(r, b)];
  const [gg, gb, bb] = [meanOfProduct(g, g), meanOfProduct(g, b), meanOfProduct(b, b)];
  const [ra, ga, ba] = [meanOfProduct(r, alpha), meanOfProduct(g, alpha), meanOfProduct(b, alpha)];
  const slope = [new Float64Array(count), new Float64Array(count), new Float64Array(count)] as const;
  const offset = alpha.slice();
  for (let k = 0; k < count; k++) {
    if (!soft[k]) continue;
    const x = mr[k]!;
    const y = mg[k]!;
    const z = mb[k]!;
    const m = ma[k]!;
    // (S_k + ridge) a_k = cov(I, alpha), S symmetric, solved by its adjugate
    const xx = rr[k]! - x * x + maskRidge;
    const xy = rg[k]! - x * y;
    const xz = rb[k]! - x * z;
    const yy = gg[k]! - y * y + maskRidge;
    const yz = gb[k]! - y * z;
    const zz = bb[k]! - z * z + maskRidge;
    const p = ra[k]! - x * m;
    const q = ga[k]! - y * m;
    const s = ba[k]! - z * m;
    const c0 = yy * zz - yz * yz;
    const c1 = xz * yz - xy * zz;
    const c2 = xy * yz - xz * yy;
    const c11 = xx * zz - xz * xz;
    const c12 = xy * xz - xx * yz;
    const c22 = xx * yy - xy * xy;
    const determinant = xx * c0 + xy * c1 + xz * c2;
    const u = (c0 * p + c1 * q + c2 * s) / determinant;
    const v = (c1 * p + c11 * q + c12 * s) / determinant;
    const w = (c2 * p + c12 * q + c22 * s) / determinant;
    slope[0][k] = u;
    slope[1][k] = v;
    slope[2][k] = w;
    offset[k] = m - u * x - v * y - w * z;
  }
  // a pixel lies in many windows: their functions are averaged, hard pixels' own counting as constants
  const averaged = (values: Float64Array): Plane => {
    const smooth = box(values);
    return { height, width, data: Float32Array.from(values, (v, k) => (soft[k] ? smooth[k]! : v)) };
  };
  return {
    height,
    width,
    slope: [averaged(slope[0]), averaged(slope[1]), averaged(slope[2])],
    offset: averaged(offset),
    low: { height, width, data: low },
    high: { height, width, data: high },
  };
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
  const sums = new Float64Array(width); // of each column's window: rows are read in the order of memory
  for (let v = -reach; v <= reach; v++) for (let x = 0; x < width; x++) sums[x]! += across[at(v, height - 1) * width + x]!;
  for (let y = 0; y < height; y++) {
    const enters = at(y + reach + 1, height - 1) * width;
    const leaves = at(y - reach, height - 1) * width;
    for (let x = 0; x < width; x++) {
      both[y * width + x] = sums[x]! / side;
      sums[x]! += across[enters + x]! - across[leaves + x]!;
    }
  }
  return both;
}
