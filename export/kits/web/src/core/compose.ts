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
import { bilinear, mixedRow, type Taps } from "./resize";

/** A mask's value as a matte. */
export function matteOf(mask: number): number {
  const y = Math.min(matteGain * mask, 1);
  return y * y * (3 - 2 * y);
}

/** No code of a mask that is surely 0 or 1. */
const UNSURE = 1;

/** Places of a matte's bounds among its planes; slopes are 0, 1, 2 and the offset 3. */
const [LOW, HIGH] = [4, 5];

/** Reads planes of one size at the photo's pixels, row by row; a pixel is enlarged only when it is asked for. */
class Rows {
  private readonly down: Taps;
  /** For each pixel of a row the column of the planes left of it. */
  readonly first: Int32Array;
  private readonly second: Int32Array;
  private readonly share: Float32Array;
  private readonly lines: Float32Array[];

  constructor(private readonly planes: readonly Plane[], frame: Frame) {
    const { height, width } = planes[0]!;
    this.down = bilinear(height, frame.height, frame.top, frame.top + frame.photo.height);
    const across = bilinear(width, frame.width, frame.left, frame.left + frame.photo.width);
    ({ first: this.first, second: this.second, share: this.share } = across);
    this.lines = planes.map((p) => new Float32Array(p.width));
  }

  row(y: number): void {
    this.planes.forEach((p, k) => mixedRow(p, this.down, y, this.lines[k]!));
  }

  /** For each column the mask's code from there to the next one, where its bounds leave none other; else `UNSURE`. */
  sure(low: number, high: number, out: Uint16Array): void {
    const least = this.lines[low]!;
    const most = this.lines[high]!;
    for (let x = 0; x < out.length; x++) {
      const next = Math.min(x + 1, out.length - 1);
      if (Math.max(most[x]!, most[next]!) < maskSnap) out[x] = 0;
      else out[x] = Math.min(least[x]!, least[next]!) > 1 - maskSnap ? maskCodes : UNSURE;
    }
  }

  at(plane: number, x: number): number {
    const line = this.lines[plane]!;
    const left = line[this.first[x]!]!;
    return left + (line[this.second[x]!]! - left) * this.share[x]!;
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
  const { data, width } = photo;
  const sure = new Uint16Array(mask.width);
  for (let y = 0; y < photo.height; y++) {
    source.row(y);
    source.sure(LOW, HIGH, sure);
    for (let x = 0; x < width; x++) {
      const known = sure[source.first[x]!]!;
      if (known !== UNSURE) {
        out[y * width + x] = known;
        continue;
      }
      const low = source.at(LOW, x);
      const high = source.at(HIGH, x);
      let kept = high;
      if (high >= maskSnap && low <= 1 - maskSnap) {
        const pixel = 4 * (y * width + x);
        const tone = source.at(0, x) * data[pixel]! + source.at(1, x) * data[pixel + 1]! + source.at(2, x) * data[pixel + 2]!;
        kept = Math.min(Math.max(source.at(3, x) + tone / 255, low), high);
      }
      out[y * width + x] = kept < maskSnap ? 0 : kept > 1 - maskSnap ? maskCodes : Math.round(kept * maskCodes);
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

/** Places of the planes in a {@link Composer}: red, green and blue light, their shares, and how far all is blurred. */
const [SHARES, COVER] = [3, 4];

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
      planes[SHARES]!.data[i] = s + composeLeast;
      planes[COVER]!.data[i] = c[i]!;
    }
    this.source = new Rows(planes, frame);
  }

  /** Writes rows of the portrait, R G B A, where `out` begins with row `start`. */
  compose(out: Uint8ClampedArray, start = 0, stop = this.photo.height): void {
    const { width, data } = this.photo;
    for (let y = start; y < stop; y++) {
      this.source.row(y);
      for (let x = 0; x < width; x++) {
        const pixel = 4 * (y * width + x);
        const to = pixel - 4 * start * width;
        out[to + 3] = 255;
        const matte = matteOf(this.mask[y * width + x]! / maskCodes);
        const k = matte === 1 ? 0 : (1 - matte) * this.source.at(COVER, x);
        if (k === 0) {
          for (let c = 0; c < 3; c++) out[to + c] = data[pixel + c]!;
          continue;
        }
        const weight = (k / this.source.at(SHARES, x)) * 255;
        // portrait = I + k (B - I); the clamped array clips to 0..255 and rounds
        for (let c = 0; c < 3; c++) out[to + c] = data[pixel + c]! * (1 - k) + this.source.at(c, x) * weight;
      }
    }
  }
}
