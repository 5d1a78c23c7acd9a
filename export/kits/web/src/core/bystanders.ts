/** The rule "passers_by": small people farther off are blurred with the background. */

import { aroundPx, fartherShare, personFrom, smallShare } from "../contract";
import { median, type Plane } from "./image";
import { largest, parts } from "./parts";

/** Mask and depth of the model's size without passers-by; anew where there is one, else as they are. */
export function withoutBystanders(mask: Plane, depth: Plane): { mask: Plane; depth: Plane } {
  const person = Uint8Array.from(mask.data, (m) => (m >= personFrom ? 1 : 0));
  const { labels, found } = parts(person, mask);
  const first = found.reduce((a, b) => (b.area > a.area ? b : a), found[0]!); // of equals the first
  const candidates = found.filter(
    (p) =>
      first.bottom - p.bottom > fartherShare * (first.bottom - first.top) && p.area < smallShare * first.area,
  );
  if (!candidates.length) return { mask, depth };
  const away = new Set(candidates.map((p) => p.label));
  const kept = { mask: { ...mask, data: mask.data.slice() }, depth: { ...depth, data: depth.data.slice() } };
  const { height, width } = mask;
  for (const part of candidates) {
    const [top, left] = [Math.max(part.top - 2 * aroundPx, 0), Math.max(part.left - 2 * aroundPx, 0)];
    const box = {
      height: Math.min(part.bottom + 2 * aroundPx, height) - top,
      width: Math.min(part.right + 2 * aroundPx, width) - left,
    };
    const at = (i: number): number => (top + Math.floor(i / box.width)) * width + left + (i % box.width);
    const own = Uint8Array.from({ length: box.height * box.width }, (_, i) => (labels[at(i)] === part.label ? 1 : 0));
    const zone = largest(own, box, aroundPx);
    if (zone.some((z, i) => z && person[at(i)] && !away.has(labels[at(i)]!))) continue; // a piece of somebody whose mask is torn
    const wide = largest(own, box, 2 * aroundPx);
    const ring: number[] = [];
    wide.forEach((w, i) => {
      if (w && !zone[i] && !person[at(i)]) ring.push(depth.data[at(i)]!);
    });
    const behind = ring.length ? median(ring) : -Infinity;
    zone.forEach((z, i) => {
      if (!z) return;
      kept.mask.data[at(i)] = 0;
      kept.depth.data[at(i)] = Math.max(kept.depth.data[at(i)]!, behind);
    });
  }
  return kept;
}
