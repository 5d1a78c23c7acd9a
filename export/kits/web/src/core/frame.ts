/** The frame that a model sees: the photo, or the photo mirrored outwards to the model's aspect. */

import { mostStretch } from "../contract";
import { rint, type Size } from "./image";

export interface Frame extends Size {
  readonly photo: Size;
  /** Rows above and columns left of the photo. */
  readonly top: number;
  readonly left: number;
}

/** The frame of a photo for a model of a size: the rules "aspect" and "mirror". */
export function frameOf(photo: Size, model: Size): Frame {
  const { height, width } = photo;
  const aspect = (height * model.width) / (width * model.height);
  let size: Size = photo;
  if (aspect > mostStretch) size = { height, width: rint((height * model.width) / model.height) };
  else if (aspect < 1 / mostStretch) size = { height: rint((width * model.height) / model.width), width };
  return {
    photo: { height, width },
    height: size.height,
    width: size.width,
    top: Math.floor((size.height - height) / 2),
    left: Math.floor((size.width - width) / 2),
  };
}

/** A share of the photo's diagonal as one of the frame's. */
export function frameAperture(frame: Frame, aperture: number): number {
  return (aperture * Math.hypot(frame.photo.height, frame.photo.width)) / Math.hypot(frame.height, frame.width);
}

/** For each place of the frame along one axis, the photo's place that stands there; the border is not repeated. */
export function mirrored(frame: number, before: number, photo: number): Int32Array {
  const period = Math.max(2 * (photo - 1), 1);
  return Int32Array.from({ length: frame }, (_, i) => {
    const place = (((i - before) % period) + period) % period;
    return place < photo ? place : period - place;
  });
}

/** The size whose aspect is nearest to the photo's, the larger one of equals. */
export function nearestSize<T extends Size>(photo: Size, sizes: readonly T[]): T {
  const aspect = Math.log(photo.height / photo.width);
  const distance = (s: Size): number => Math.round(Math.abs(Math.log(s.height / s.width) - aspect) * 1e6);
  const sorted = [...sizes].sort((a, b) => distance(a) - distance(b) || b.height * b.width - a.height * a.width);
  if (!sorted[0]) throw new Error("expected a model of any size, found none; export the bundle again");
  return sorted[0];
}
