/** A photo's path through a bundle's models, to the portrait at the photo's own size. For a worker. */

import { aperturePaper, focusOnPerson } from "./contract";
import { withoutBystanders } from "./core/bystanders";
import { Composer, maskAtPhotoSize, type ModelMaps, type Setting } from "./core/compose";
import { focusAt } from "./core/focus";
import { type Frame, frameAperture, frameOf, nearestSize } from "./core/frame";
import type { Photo, Plane, Size } from "./core/image";
import { fitMatte } from "./core/matte";
import { findPerson, type Presence } from "./core/presence";
import { toModelSize } from "./core/resize";
import { commonSizes, type Manifest, MODELS, tfliteModels } from "./runtime/bundle";
import { download, downloadJson, type Progress } from "./runtime/download";
import { type Backend, loadRuntime, ModelRunner, type Runtime } from "./runtime/litert";

/** What perception found in a photo. */
export interface Perceived {
  readonly photo: Photo;
  readonly frame: Frame;
  readonly size: Size;
  readonly maps: ModelMaps;
  /** At the photo's size, 0..65535. */
  readonly mask: Uint16Array;
  readonly presence: Presence;
}

export interface Options {
  /** Address of the bundle's folder, ending in a slash. */
  readonly bundle: string;
  /** Address of the folder of LiteRT's wasm files, ending in a slash. */
  readonly wasm: string;
  readonly precision: string;
  readonly backend?: Backend | "auto";
  /** Of the models, where the page may have threads; default all cores but one. */
  readonly threads?: number | undefined;
  /** Told how many bytes are there, of how many; the total is an estimate until all are. */
  readonly progress?: Progress;
}

/** About the bytes of one of LiteRT's wasm files; for the progress alone. */
const WASM_BYTES = 9.4e6;

export class Portraiture {
  private constructor(
    readonly runtime: Runtime,
    readonly sizes: readonly Size[],
    private readonly runners: ReadonlyMap<string, () => Promise<ModelRunner>>,
  ) {}

  /** Loads the runtime and the models; those of the first size are ready when it returns, others on first use. */
  static async load({ bundle, wasm, precision, backend = "auto", threads, progress = () => {} }: Options): Promise<Portraiture> {
    const models = tfliteModels(await downloadJson<Manifest>(`${bundle}manifest.json`), precision);
    const sizes = commonSizes(models, MODELS);
    if (!sizes.length) throw new Error(`manifest.json: expected perception and filter in ${precision} as tflite, found ${models.map((m) => m.name).join(", ") || "none"}; export them`);
    const served = models.filter((m) => MODELS.includes(m.name));
    const paths = new Map(served.map((m) => [m.path, m.bytes]));
    const total = [...paths.values()].reduce((a, b) => a + b, WASM_BYTES);
    let done = 0;
    const onBytes = (count: number): void => progress(Math.min((done += count), total), total);
    const loading = loadRuntime(wasm, backend, onBytes, threads);
    const files = new Map([...paths.keys()].map((path) => [path, download(bundle + path, onBytes)]));
    const [runtime] = await Promise.all([loading, ...files.values()]);
    const opened = new Map(served.map((m) => [`${m.name} ${m.size}`, once(async () => ModelRunner.open(await files.get(m.path)!, m, runtime))]));
    const loaded = new Portraiture(runtime, sizes, opened);
    await Promise.all(MODELS.map((name) => loaded.runner(name, sizes[0]!)));
    progress(total, total);
    return loaded;
  }

  private runner(name: string, size: Size): Promise<ModelRunner> {
    return this.runners.get(`${name} ${size.height}x${size.width}`)!();
  }

  /** Mask and depth of a photo. */
  async perceive(photo: Photo): Promise<Perceived> {
    const size = nearestSize(photo, this.sizes);
    const frame = frameOf(photo, size);
    const rgb = toModelSize(photo, frame, size);
    const out = await (await this.runner("perception", size)).run({ rgb: Float32Array.from(rgb, (v) => v / 255) });
    const as = (data: Float32Array): Plane => ({ ...size, data });
    const { mask, depth } = withoutBystanders(as(out["mask"]!), as(out["depth"]!));
    const maps = { rgb, mask, depth };
    const full = fullMask(photo, frame, size, maps);
    return { photo, frame, size, maps, mask: full, presence: findPerson(full, photo) };
  }

  /** The same photo at another size, for a quick look: what was found stays, its mask is enlarged along the given photo. */
  resized(of: Perceived, photo: Photo): Perceived {
    const { size, maps } = of;
    const frame = frameOf(photo, size);
    return { ...of, photo, frame, mask: fullMask(photo, frame, size, maps) };
  }

  /** The depth that stays sharp where a point of the photo was tapped. */
  focusAt(of: Perceived, x: number, y: number): number {
    return focusAt(of.maps.depth, of.mask, of.frame, x, y);
  }

  /**
   * The portrait at the photo's size, R G B A.
   *
   * @param aperture largest radius as a share of the photo's diagonal
   * @param focus depth that stays sharp; {@link focusOnPerson} for the person's
   */
  async render(of: Perceived, aperture: number = aperturePaper, focus: number = focusOnPerson): Promise<Uint8ClampedArray> {
    const { photo, maps } = of;
    const setting = { aperture: frameAperture(of.frame, aperture), focus };
    const portrait = new Uint8ClampedArray(photo.height * photo.width * 4);
    new Composer(photo, of.mask, of.frame, maps, await this.filter(of, setting), setting).compose(portrait);
    return portrait;
  }

  /** The last picture of the filter: a quick look and the whole portrait are composed of the same one. */
  private last: { maps: ModelMaps; setting: Setting; picture: Float32Array } | undefined;

  private async filter({ maps, size }: Perceived, { aperture, focus }: Setting): Promise<Float32Array> {
    const { last } = this;
    const near = last && Math.abs(last.setting.aperture - aperture) < NEAR && last.setting.focus === focus;
    if (last?.maps === maps && near) return last.picture;
    const out = await (await this.runner("filter", size)).run({
      rgb: Float32Array.from(maps.rgb, (v) => v / 255),
      mask: maps.mask.data,
      depth: maps.depth.data,
      aperture: Float32Array.of(aperture),
      focus: Float32Array.of(focus),
    });
    const picture = out["portrait"]!;
    this.last = { maps, setting: { aperture, focus }, picture };
    return picture;
  }
}

/** Apertures nearer than this are one: a smaller copy's diagonal is rounded to pixels. A hundredth of the slider's step. */
const NEAR = 1e-5;

function fullMask(photo: Photo, frame: Frame, size: Size, { rgb, mask }: ModelMaps): Uint16Array {
  const own = frame.height === size.height && frame.width === size.width;
  return maskAtPhotoSize(photo, frame, mask, own ? null : fitMatte(rgb, mask));
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
