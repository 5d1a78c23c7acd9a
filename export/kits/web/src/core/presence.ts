/** Whether a mask shows a person: a few pixels above one half are no person. */

import {
  personFrom, presenceClearArea, presenceClearConfidence, presenceLeastArea, presenceLeastCompactness,
  presenceLeastConfidence, presenceOpeningPx, presenceWorkingPx,
} from "../contract";
import { maskCodes, rint, type Size } from "./image";
import { parts } from "./parts";
import { resizePlane } from "./resize";

export type Presence = "clear" | "uncertain" | "absent";

/** Judges a mask of the photo's size, in codes of 16 bits. */
export function findPerson(codes: Uint16Array, { height, width }: Size): Presence {
  const scale = presenceWorkingPx / Math.max(height, width);
  const small = resizePlane(
    { height, width, data: codes },
    { height: Math.max(1, rint(height * scale)), width: Math.max(1, rint(width * scale)) },
  );
  small.data.forEach((code, i) => (small.data[i] = code / maskCodes));
  const person = Uint8Array.from(small.data, (m) => (m >= personFrom ? 1 : 0));
  const disk = ellipse(presenceOpeningPx);
  const solid = hit(hit(person, small, disk, true), small, disk, false);
  const { labels, found } = parts(solid, small);
  if (!found.length) return "absent";
  const sums = found.map(() => 0);
  labels.forEach((label, i) => {
    if (label) sums[label - 1]! += small.data[i]!;
  });
  const scores = found.map((p, k) => sums[k]! - 0.5 * p.area);
  const strongest = scores.indexOf(Math.max(...scores));
  const area = found[strongest]!.area / small.data.length;
  const confidence = sums[strongest]! / found[strongest]!.area;
  const count = (pixels: Uint8Array): number => pixels.reduce((sum, p) => sum + p, 0);
  const compactness = count(solid) / count(person);
  if (area < presenceLeastArea || confidence < presenceLeastConfidence || compactness < presenceLeastCompactness) return "absent";
  return area >= presenceClearArea && confidence >= presenceClearConfidence ? "clear" : "uncertain";
}

/** The offsets of an ellipse of a diameter, as OpenCV draws it. */
function ellipse(diameter: number): [number, number][] {
  const reach = (diameter - 1) / 2;
  const offsets: [number, number][] = [];
  for (let v = -reach; v <= reach; v++) {
    const half = rint(reach * Math.sqrt((reach * reach - v * v) / (reach * reach)));
    for (let u = -half; u <= half; u++) offsets.push([v, u]);
  }
  return offsets;
}

/** Erosion (all of the offsets hold) or dilation (any does); what lies outside the picture is not asked. */
function hit(pixels: Uint8Array, { height, width }: Size, offsets: [number, number][], all: boolean): Uint8Array {
  const out = new Uint8Array(pixels.length).fill(all ? 1 : 0);
  for (const [v, u] of offsets)
    for (let y = Math.max(0, -v); y < height - Math.max(0, v); y++)
      for (let x = Math.max(0, -u); x < width - Math.max(0, u); x++) {
        const there = pixels[(y + v) * width + x + u]!;
        if (all ? !there : there) out[y * width + x] = all ? 0 : 1;
      }
  return out;
}
