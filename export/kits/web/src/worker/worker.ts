/** Runs the models and composes the portrait, away from the page's own thread. */

import { type Perceived, Portraiture } from "../portraiture";
import type { Photo } from "../core/image";
import { loadRuntime } from "../runtime/litert";
import { type CheckRow, selfCheck } from "../runtime/goldens";
import type { Asks, Kind, Loaded, Place, Reply, Request } from "./messages";
import { viewOf } from "./views";

type Answers = { [K in Kind]: (ask: Asks[K]["ask"], id: number) => Promise<Asks[K]["answer"]> };

let portraiture: Portraiture | undefined;
let perceived: Perceived | undefined;
/** A smaller copy of a large photo, for a quick look. */
let quick: Perceived | undefined;

/** Longer side of the copy, in pixels: as much as most screens show of it. Chosen. */
const QUICK_PX = 1400;

function pixelsOf(bitmap: ImageBitmap, scale: number): Photo {
  const [width, height] = [Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale))];
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error(`expected memory for a photo of ${width} x ${height}, found too little; choose a smaller one`);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  return { height, width, data };
}

const reply = (message: Reply, transfer: Transferable[] = []): void => self.postMessage(message, { transfer });

function loaded(): Portraiture {
  if (!portraiture) throw new Error("expected the models, found none loaded; load the page again");
  return portraiture;
}

function current(): Perceived {
  if (!perceived) throw new Error("expected a photo, found none; choose one");
  return perceived;
}

const answers: Answers = {
  async load(place: Place, id): Promise<Loaded> {
    const progress = (done: number, total: number): void => reply({ id, progress: [done, total] });
    portraiture = await Portraiture.load({ ...place, progress });
    return { ...portraiture.runtime, sizes: portraiture.sizes.map((s) => `${s.height}x${s.width}`) };
  },

  async photo({ bitmap }) {
    perceived = quick = undefined;
    const start = performance.now();
    const scale = QUICK_PX / Math.max(bitmap.height, bitmap.width);
    const small = scale < 1 ? pixelsOf(bitmap, scale) : null;
    const photo = pixelsOf(bitmap, 1);
    bitmap.close();
    perceived = await loaded().perceive(photo);
    if (small) quick = loaded().resized(perceived, small);
    const { size, presence } = perceived;
    return { presence, size: `${size.height}x${size.width}`, large: small !== null, ms: performance.now() - start };
  },

  async render({ aperture, focus, quick: soon }) {
    const start = performance.now();
    const of = (soon && quick) || current();
    const pixels = await loaded().render(of, aperture, focus);
    const bitmap = await createImageBitmap(new ImageData(pixels as Uint8ClampedArray<ArrayBuffer>, of.photo.width, of.photo.height));
    return { bitmap, ms: performance.now() - start };
  },

  async focus({ x, y }) {
    return loaded().focusAt(current(), x, y);
  },

  async view({ map }) {
    return createImageBitmap(viewOf(current(), map));
  },

  async check(place: Place, id): Promise<CheckRow[]> {
    const runtime = portraiture?.runtime ?? (await loadRuntime(place.wasm, place.backend, () => {}, place.threads));
    const rows: CheckRow[] = [];
    for await (const row of selfCheck(place.bundle, place.precision, runtime)) {
      rows.push(row);
      reply({ id, row });
    }
    return rows;
  },
};

let queue: Promise<void> = Promise.resolve();

// one after the other: the models and their memory are not made for two runs at a time
self.onmessage = ({ data }: MessageEvent<Request>): void => {
  queue = queue.then(() => answer(data));
};

async function answer({ id, kind, ask }: Request): Promise<void> {
  try {
    const found = await (answers[kind] as (ask: unknown, id: number) => Promise<unknown>)(ask, id);
    const bitmap = found instanceof ImageBitmap ? found : (found as { bitmap?: unknown } | undefined)?.bitmap;
    reply({ id, answer: found }, bitmap instanceof ImageBitmap ? [bitmap] : []);
  } catch (error) {
    reply({ id, error: error instanceof Error ? error.message : String(error) });
  }
}
