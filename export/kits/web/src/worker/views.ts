/** Pictures of the maps for a person to look at. */

import { maskCodes, clip } from "../core/image";
import { bilinear, enlargedRow } from "../core/resize";
import type { Perceived } from "../portraiture";

/** Longer side of a map's picture, in pixels: as much as a screen shows. Chosen. */
const LONGEST_PX = 2048;

/** Colours of a depth from near to far, R G B. Chosen: warm and light near, dark and cold far. */
export const DEPTH_COLOURS: readonly (readonly [number, number, number])[] = [
  [255, 236, 196], [250, 178, 116], [214, 96, 108], [132, 56, 124], [62, 36, 96], [22, 18, 48],
];

/** The mask as light on dark, or the depth in colours. */
export function viewOf(of: Perceived, map: "mask" | "depth"): ImageData {
  const { photo, frame, maps, mask } = of;
  const scale = Math.min(1, LONGEST_PX / Math.max(photo.height, photo.width));
  const [height, width] = [photo.height, photo.width].map((n) => Math.max(1, Math.round(n * scale))) as [number, number];
  const image = new ImageData(width, height);
  const down = bilinear(maps.depth.height, frame.height, frame.top, frame.top + photo.height);
  const across = bilinear(maps.depth.width, frame.width, frame.left, frame.left + photo.width);
  // a network uses a part of 0..1: the picture shows the photo's own nearest and farthest
  const nearest = maps.depth.data.reduce((a, b) => Math.min(a, b), Infinity);
  const span = Math.max(maps.depth.data.reduce((a, b) => Math.max(a, b), -Infinity) - nearest, 1e-3);
  const [line, row] = [new Float32Array(maps.depth.width), new Float32Array(photo.width)];
  for (let y = 0; y < height; y++) {
    const from = Math.min(photo.height - 1, Math.floor((y + 0.5) / scale));
    if (map === "depth") enlargedRow(maps.depth, down, from, across, line, row);
    for (let x = 0; x < width; x++) {
      const column = Math.min(photo.width - 1, Math.floor((x + 0.5) / scale));
      const colour = map === "depth" ? colourOf((row[column]! - nearest) / span) : grey(mask[from * photo.width + column]! / maskCodes);
      image.data.set([...colour, 255], 4 * (y * width + x));
    }
  }
  return image;
}

function grey(value: number): readonly [number, number, number] {
  const code = Math.round(255 * value);
  return [code, code, code];
}

function colourOf(depth: number): readonly [number, number, number] {
  const at = clip(depth, 0, 1) * (DEPTH_COLOURS.length - 1);
  const first = Math.min(Math.floor(at), DEPTH_COLOURS.length - 2);
  const [a, b, share] = [DEPTH_COLOURS[first]!, DEPTH_COLOURS[first + 1]!, at - first];
  return [0, 1, 2].map((c) => Math.round(a[c]! + (b[c]! - a[c]!) * share)) as [number, number, number];
}
