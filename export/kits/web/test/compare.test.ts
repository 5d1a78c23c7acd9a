/** The one comparison: it must be able to fail. */

import { expect, it } from "vitest";
import { compare, passes, type Tolerance } from "../src/core/compare";

const none: Tolerance = { max_abs: null, min_psnr_db: null, min_tile_db: null, min_iou: null };
const flat = (value: number): Float32Array => new Float32Array(64 * 40).fill(value);

it("finds equal arrays equal", () => {
  const found = compare(flat(0.6), flat(0.6), [64, 40]);
  expect(found).toMatchObject({ finite: true, maxAbs: 0, psnrDb: Infinity, tileDb: Infinity, iou: 1 });
  expect(passes({ ...none, min_psnr_db: 60, min_iou: 1 }, found)).toBe(true);
});

it("sees a fault in one tile that the whole hides", () => {
  const faulty = flat(0.5);
  for (let y = 32; y < 64; y++) for (let x = 32; x < 40; x++) faulty[40 * y + x] = 0.6;
  const found = compare(faulty, flat(0.5), [64, 40]);
  expect(found.tileDb).toBeCloseTo(20, 4);
  expect(found.psnrDb).toBeCloseTo(20 + 10 * Math.log10(10), 4);
  expect(passes({ ...none, min_psnr_db: 25 }, found)).toBe(true);
  expect(passes({ ...none, min_tile_db: 25 }, found)).toBe(false);
  expect(passes({ ...none, max_abs: 0.05 }, found)).toBe(false);
});

it("fails what is not finite, and masks that lie elsewhere", () => {
  expect(passes(none, compare(flat(NaN), flat(0.5), [64, 40]))).toBe(false);
  expect(passes({ ...none, min_iou: 0.5 }, compare(flat(0.4), flat(0.6), [64, 40]))).toBe(false);
  expect(() => compare(flat(0), flat(0), [64, 41])).toThrow("expected 2624 values");
});
