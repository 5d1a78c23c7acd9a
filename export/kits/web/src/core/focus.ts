/** Which depth is sharp where a point was tapped. */

import { focusOnPerson, personFrom, tapReach } from "../contract";
import type { Frame } from "./frame";
import { clip, maskCodes, median, type Plane, rint } from "./image";
import { bilinear } from "./resize";

/**
 * The focus for a tapped point of the photo, in its pixels: the person's where the person was tapped, else the median
 * depth around the point.
 */
export function focusAt(depth: Plane, mask: Uint16Array, frame: Frame, x: number, y: number): number {
  const { height, width } = frame.photo;
  const [column, row] = [clip(rint(x), 0, width - 1), clip(rint(y), 0, height - 1)];
  if (mask[row * width + column]! / maskCodes >= personFrom) return focusOnPerson;
  const reach = Math.max(1, rint(tapReach * Math.max(height, width)));
  const [top, left] = [Math.max(0, row - reach), Math.max(0, column - reach)];
  const [bottom, right] = [Math.min(height, row + reach + 1), Math.min(width, column + reach + 1)];
  const down = bilinear(depth.height, frame.height, frame.top + top, frame.top + bottom);
  const across = bilinear(depth.width, frame.width, frame.left + left, frame.left + right);
  const around: number[] = [];
  for (let j = 0; j < bottom - top; j++) {
    for (let i = 0; i < right - left; i++) {
      const at = (r: number): number => {
        const line = r * depth.width;
        const [a, b] = [depth.data[line + across.first[i]!]!, depth.data[line + across.second[i]!]!];
        return a + (b - a) * across.share[i]!;
      };
      const [a, b] = [at(down.first[j]!), at(down.second[j]!)];
      around.push(clip(a + (b - a) * down.share[j]!, 0, 1));
    }
  }
  return median(around);
}
