/** The one comparison of two arrays in 0..1: peak 1, finite or it fails. */

import { personFrom, tilePx } from "../contract";

/** A gate as the goldens' index gives it; a bound that is null does not count. */
export interface Tolerance {
  readonly max_abs: number | null;
  readonly min_psnr_db: number | null;
  readonly min_tile_db: number | null;
  readonly min_iou: number | null;
}

export interface Difference {
  readonly finite: boolean;
  readonly maxAbs: number;
  readonly psnrDb: number;
  readonly tileDb: number;
  readonly iou: number;
}

const decibel = (squared: number): number => (squared === 0 ? Infinity : -10 * Math.log10(squared));

/** Compares outputs of shape h x w or h x w x 3. */
export function compare(found: ArrayLike<number>, expected: ArrayLike<number>, shape: readonly number[]): Difference {
  const [height, width, channels = 1] = shape as [number, number, number?];
  const count = height * width * channels;
  if (found.length !== count || expected.length !== count)
    throw new Error(`expected ${count} values, found ${found.length} and ${expected.length}; export the bundle again`);
  const across = Math.ceil(width / tilePx);
  const tiles = new Float64Array(across * Math.ceil(height / tilePx));
  const sizes = new Float64Array(tiles.length);
  let [maxAbs, sum, both, either, finite] = [0, 0, 0, 0, true];
  for (let i = 0; i < count; i++) {
    const [a, b] = [found[i]!, expected[i]!];
    const error = Math.abs(a - b);
    finite &&= Number.isFinite(error);
    maxAbs = Math.max(maxAbs, error);
    sum += error * error;
    const pixel = Math.floor(i / channels);
    const tile = Math.floor(Math.floor(pixel / width) / tilePx) * across + Math.floor((pixel % width) / tilePx);
    tiles[tile]! += error * error;
    sizes[tile]! += 1;
    if (a >= personFrom || b >= personFrom) either++;
    if (a >= personFrom && b >= personFrom) both++;
  }
  const worst = Math.max(...tiles.map((t, k) => t / sizes[k]!));
  return { finite, maxAbs, psnrDb: decibel(sum / count), tileDb: decibel(worst), iou: either ? both / either : 1 };
}

/** Whether a difference is within every bound; NaN is within none. */
export function passes(tolerance: Tolerance, d: Difference): boolean {
  const { max_abs, min_psnr_db, min_tile_db, min_iou } = tolerance;
  return (
    d.finite &&
    (max_abs === null || d.maxAbs <= max_abs) &&
    (min_psnr_db === null || d.psnrDb >= min_psnr_db) &&
    (min_tile_db === null || d.tileDb >= min_tile_db) &&
    (min_iou === null || d.iou >= min_iou)
  );
}
