/** The lens: which depth is sharp, and how much of each pixel of the model's size is blurred. */

import {
  bottomSlope, coverSlope, farFrom, farSlope, leastMeanFar, leastMeanMask, minSpan, selfieBottom, selfieCover,
} from "../contract";
import { clip, mean, type Plane } from "./image";

/** How far a mask is a selfie's, 0..1. */
export function selfieShare(mask: Plane): number {
  const cover = mean(mask.data);
  const bottom = mean(mask.data, (mask.height - 1) * mask.width);
  return clip(0.5 + coverSlope * (cover - selfieCover), 0, 1) * clip(0.5 + bottomSlope * (bottom - selfieBottom), 0, 1);
}

/** The depth that is blurred by: behind the person of a selfie all is equally far, unless a focus is chosen. */
export function sceneDepth(mask: Plane, depth: Plane, focus: number): Float64Array {
  if (focus >= 0) return Float64Array.from(depth.data);
  const q = selfieShare(mask);
  return Float64Array.from(depth.data, (d, i) => q * (1 - mask.data[i]!) + (1 - q) * d);
}

/** Mean depth of the farthest sixth of the depth's range. */
function farDepth(depth: Float64Array): number {
  let [low, high] = [Infinity, -Infinity];
  for (const d of depth) {
    if (d < low) low = d;
    if (d > high) high = d;
  }
  const edge = low + farFrom * (high - low);
  const span = Math.max(high - low, minSpan);
  let [weighted, weight] = [0, 0];
  for (const d of depth) {
    const share = clip((farSlope * (d - edge)) / span, 0, 1);
    weighted += share * d;
    weight += share;
  }
  return weighted / depth.length / Math.max(weight / depth.length, leastMeanFar);
}

/** c of the compose rule: the radius of each pixel's blur in pixels of the model's size, cut to 0..1. */
export function blurredShare(mask: Plane, depth: Plane, aperture: number, focus: number): Float64Array {
  const scene = sceneDepth(mask, depth, focus);
  let sharp = focus;
  if (focus < 0) {
    const weighted = scene.reduce((sum, d, i) => sum + d * mask.data[i]!, 0) / scene.length;
    sharp = weighted / Math.max(mean(mask.data), leastMeanMask);
  }
  const span = Math.max(farDepth(scene) - sharp, minSpan);
  const largest = aperture * Math.hypot(mask.height, mask.width);
  return scene.map((d) => clip(largest * clip((d - sharp) / span, 0, 1), 0, 1));
}
