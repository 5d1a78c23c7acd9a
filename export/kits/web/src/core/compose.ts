/**
 * From the filter's picture at the model's size to the portrait at the photo's: the compose rule.
 *
 * The photo's own pixels stay where nothing is blurred; the blurred light is enlarged premultiplied, so that no colour of
 * the person spreads with it, and laid behind the photo's own edge. Rows are independent, and any split gives the same.
 */

import { composeLeast, matteGain, maskSnap } from "../contract";
import type { Frame } from "./frame";
import { maskCodes, type Photo, type Plane, plane } from "./image";
import { blurredShare } from "./lens";
import type { MatteModel } from "./matte";
import { bilinear, enlargedRow, type Taps } from "./resize";

/** A mask's value as a matte. */
export function matteOf(mask: number): number {
  const y = Math.min(matteGain * mask, 1);
  return y * y * (3 - 2 * y);
}

interface Axes {
  readonly down: Taps;
  readonly across: Taps;
}

/** Taps from planes of a size to the photo's part of the frame. */
function axes(from: Plane, frame: Frame): Axes {
  return {
    down: bilinear(from.height, frame.height, frame.top, frame.top + frame.photo.height),
    across: bilinear(from.width, frame.width, frame.left, frame.left + frame.photo.width),
  };
}

/** Reads rows of planes of one size as rows of the photo. */
class Rows {
  private readonly axes: Axes;
  private readonly line: Float32Array;
  readonly rows: Float32Array[];

  constructor(private readonly planes: readonly Plane[], frame: Frame) {
    this.axes = axes(planes[0]!, frame);
    this.line = new Float32Array(planes[0]!.width);
    this.rows = planes.map(() => new Float32Array(frame.photo.width));
  }

  read(y: number): void {
    this.planes.forEach((p, k) => enlargedRow(p, this.axes.down, y, this.axes.across, this.line, this.rows[k]!));
  }
}

/** The mask at the photo's size, codes of 16 bits; `matte` is null where the model saw the photo at its own size. */
export function maskAtPhotoSize(photo: Photo, frame: Frame, mask: Plane, matte: MatteModel | null): Uint16Array {
  const out = new Uint16Array(photo.height * photo.width);
  if (!matte) {
    for (let y = 0; y < photo.height; y++)
      for (let x = 0; x < photo.width; x++)
        out[y * photo.width + x] = Math.round(mask.data[(y + frame.top) * mask.width + x + frame.left]! * maskCodes);
    return out;
  }
  const source = new Rows([...matte.slope, matte.offset, matte.low, matte.high], frame);
  const [red, green, blue, offset, low, high] = source.rows as [
    Float32Array, Float32Array, Float32Array, Float32Array, Float32Array, Float32Array,
  ];
  for (let y = 0; y < photo.height; y++) {
    source.read(y);
    const row = y * photo.width;
    for (let x = 0; x < photo.width; x++) {
      const pixel = 4 * (row + x);
      const fitted =
        offset[x]! +
        (red[x]! * photo.data[pixel]! + green[x]! * photo.data[pixel + 1]! + blue[x]! * photo.data[pixel + 2]!) / 255;
      const kept = Math.min(Math.max(fitted, low[x]!), high[x]!);
      out[row + x] = kept < maskSnap ? 0 : kept > 1 - maskSnap ? maskCodes : Math.round(kept * maskCodes);
    }
  }
  return out;
}

/** What the models made of a photo, at the model's size. */
export interface ModelMaps {
  /** The bytes that the model saw, R G B. */
  readonly rgb: Uint8Array;
  readonly mask: Plane;
  readonly depth: Plane;
}

export interface Setting {
  /** Largest radius as a share of the photo's diagonal, as given to the filter: of the frame's. */
  readonly aperture: number;
  /** Depth that stays sharp; negative: the person's. */
  readonly focus: number;
}

/** Composes the portrait, rows `start` to `stop` at a time if wanted. */
export class Composer {
  private readonly source: Rows;

  /**
   * @param photo at its own size
   * @param mask of {@link maskAtPhotoSize}
   * @param maps of the models
   * @param portrait h x w x 3 in 0..1, the filter's picture
   * @param setting the frame's aperture, and the focus, as given to the filter
   */
  constructor(
    private readonly photo: Photo, private readonly mask: Uint16Array, frame: Frame,
    maps: ModelMaps, portrait: Float32Array, setting: Setting,
  ) {
    const { height, width } = maps.mask;
    const c = blurredShare(maps.mask, maps.depth, setting.aperture, setting.focus);
    const planes = Array.from({ length: 5 }, () => plane(height, width));
    for (let i = 0; i < c.length; i++) {
      const s = (1 - matteOf(maps.mask.data[i]!)) * c[i]!;
      for (let k = 0; k < 3; k++) {
        const p = portrait[3 * i + k]!;
        planes[k]!.data[i] = p - ((1 - s) * maps.rgb[3 * i + k]!) / 255 + composeLeast * p;
      }
      planes[3]!.data[i] = s + composeLeast;
      planes[4]!.data[i] = c[i]!;
    }
    this.source = new Rows(planes, frame);
  }

  /** Writes rows of the portrait, R G B A, where `out` begins with row `start`. */
  compose(out: Uint8ClampedArray, start = 0, stop = this.photo.height): void {
    const [red, green, blue, shares, cover] = this.source.rows as [
      Float32Array, Float32Array, Float32Array, Float32Array, Float32Array,
    ];
    const { width, data } = this.photo;
    const lights = [red, green, blue];
    for (let y = start; y < stop; y++) {
      this.source.read(y);
      for (let x = 0; x < width; x++) {
        const pixel = 4 * (y * width + x);
        const to = pixel - 4 * start * width;
        const k = (1 - matteOf(this.mask[y * width + x]! / maskCodes)) * cover[x]!;
        const weight = (k / shares[x]!) * 255;
        // portrait = I + k (B - I); the clamped array clips to 0..255 and rounds
        for (let channel = 0; channel < 3; channel++)
          out[to + channel] = data[pixel + channel]! * (1 - k) + lights[channel]![x]! * weight;
        out[to + 3] = 255;
      }
    }
  }
}
