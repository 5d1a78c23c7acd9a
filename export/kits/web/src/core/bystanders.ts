/** The rule "passers_by": small people farther off are blurred with the background. */

import { aroundPx, fartherShare, personFrom, smallShare } from "../contract";
import { median, type Plane } from "./image";
import { extreme, parts } from "./parts";

/** Mask and depth of the model's size without passers-by; anew where there is one, else as they are. */
export function withoutBystanders(mask: Plane, depth: Plane): { mask: Plane; depth: Plane } {
  const person = Uint8Array.from(mask.data, (m) => (m >= personFrom ? 1 : 0));
  const { labels, found } = parts(person, mask);
  const largest = found.reduce((a, b) => (b.area > a.area ? b : a), found[0]!);
  const candidates = found.filter(
    (p) =>
      largest.bottom - p.bottom > fartherShare * (largest.bottom - largest.top) && p.area < smallShare * largest.area,
  );
  if (!candidates.length) return { mask, depth };
  const away = new Set(candidates.map((p) => p.label));
  const kept = { mask: { ...mask, data: mask.data.slice() }, depth: { ...depth, data: depth.data.slice() } };
  for (const { label } of candidates) {
    const part = Uint8Array.from(labels, (l) => (l === label ? 1 : 0));
    const zone = extreme(part, mask, aroundPx, -1);
    if (zone.some((z, i) => z && person[i] && !away.has(labels[i]!))) continue; // a piece of somebody whose mask is torn
    const wide = extreme(part, mask, 2 * aroundPx, -1);
    const ring: number[] = [];
    for (let i = 0; i < wide.length; i++) if (wide[i] && !zone[i] && !person[i]) ring.push(depth.data[i]!);
    const behind = ring.length ? median(ring) : -Infinity;
    for (let i = 0; i < zone.length; i++) {
      if (!zone[i]) continue;
      kept.mask.data[i] = 0;
      kept.depth.data[i] = Math.max(kept.depth.data[i]!, behind);
    }
  }
  return kept;
}
