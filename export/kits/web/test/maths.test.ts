/** The kit's maths against the Python pipeline's, on photos of several shapes. */

import { describe, expect, it } from "vitest";
import { withoutBystanders } from "../src/core/bystanders";
import { Composer, maskAtPhotoSize } from "../src/core/compose";
import { focusAt } from "../src/core/focus";
import { frameAperture, frameOf, nearestSize } from "../src/core/frame";
import { maskCodes } from "../src/core/image";
import { fitMatte } from "../src/core/matte";
import { findPerson } from "../src/core/presence";
import { toModelSize } from "../src/core/resize";
import { apart, cases, colours } from "./fixtures";

/** Of 8 bits: OpenCV rounds halves up in some resizes, and enlarges bytes with weights of 11 bits. */
const ONE_CODE = 1;

it("has cases of every kind", () => {
  expect(cases.length).toBeGreaterThanOrEqual(6);
  expect(new Set(cases.map((c) => c.value("presence")))).toEqual(new Set(["clear", "uncertain", "absent"]));
  expect(cases.some((c) => apart(c.plane("mask").data, c.plane("kept_mask").data).largest > 0)).toBe(true);
});

describe.each(cases)("$name", (given) => {
  const photo = given.photo("photo");
  const model = given.size("mask");
  const frame = frameOf(photo, model);
  const kept = { rgb: given.array("model_rgb") as Uint8Array, mask: given.plane("kept_mask"), depth: given.plane("kept_depth") };
  const own = frame.height === model.height && frame.width === model.width;
  const mask = maskAtPhotoSize(photo, frame, kept.mask, own ? null : fitMatte(kept.rgb, kept.mask));

  it("chooses the size and the frame", () => {
    const sizes = given.value<number[][]>("sizes").map(([height, width]) => ({ height: height!, width: width! }));
    expect(nearestSize(photo, sizes)).toEqual(model);
    expect([frame.height, frame.width, frame.top, frame.left]).toEqual(given.value("frame"));
  });

  it("brings the photo to the model's size", () => {
    const difference = apart(toModelSize(photo, frame, model), given.array("model_rgb"));
    expect(difference.largest).toBeLessThanOrEqual(ONE_CODE);
    expect(difference.mean).toBeLessThan(given.name.endsWith("enlarged") ? 0.2 : 0.05);
  });

  it("leaves passers-by out", () => {
    const found = withoutBystanders(given.plane("mask"), given.plane("depth"));
    expect(apart(found.mask.data, kept.mask.data).largest).toBe(0);
    expect(apart(found.depth.data, kept.depth.data).largest).toBeLessThan(1e-6);
  });

  it("enlarges the mask along the photo", () => {
    const difference = apart(mask, Float64Array.from(given.array("full_mask"), (m) => m * maskCodes));
    expect(difference.largest).toBeLessThan(3); // of 65535: half of one is the rounding, float32 the rest
    expect(difference.mean).toBeLessThan(0.3);
  });

  it("judges who is there", () => {
    expect(findPerson(mask, photo)).toBe(given.value("presence"));
  });

  it("focuses where it is tapped", () => {
    for (const [x, y, focus] of given.value<number[][]>("taps") as [number, number, number][])
      expect(focusAt(kept.depth, mask, frame, x, y)).toBeCloseTo(focus, 5);
  });

  it("composes the portrait at the photo's size", () => {
    for (const [k, [aperture, focus]] of (given.value<number[][]>("settings") as [number, number][]).entries()) {
      const setting = { aperture: frameAperture(frame, aperture), focus };
      const composer = new Composer(photo, mask, frame, kept, given.plane3("filtered"), setting);
      const out = new Uint8ClampedArray(photo.data.length);
      composer.compose(out);
      const difference = apart(colours(out), given.array(`portrait_${k}`));
      expect(difference.largest).toBeLessThanOrEqual(ONE_CODE);
      expect(difference.mean).toBeLessThan(0.01);
      const row = new Uint8ClampedArray(4 * photo.width);
      composer.compose(row, 3, 4); // any split gives the same
      expect(row).toEqual(out.slice(12 * photo.width, 16 * photo.width));
    }
  });
});
