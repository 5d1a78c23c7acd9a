/** Runs the models and composes the portrait, away from the page's own thread. */

import { type Perceived, Portraiture } from "../portraiture";
import { loadRuntime } from "../runtime/litert";
import { type CheckRow, selfCheck } from "../runtime/goldens";
import type { Asks, Kind, Loaded, Place, Reply, Request } from "./messages";
import { viewOf } from "./views";

type Answers = { [K in Kind]: (ask: Asks[K]["ask"], id: number) => Promise<Asks[K]["answer"]> };

let portraiture: Portraiture | undefined;
let perceived: Perceived | undefined;

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
    perceived = undefined;
    const start = performance.now();
    const { height, width } = bitmap;
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    if (!context) throw new Error(`expected memory for a photo of ${width} x ${height}, found too little; choose a smaller one`);
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    const { data } = context.getImageData(0, 0, width, height);
    perceived = await loaded().perceive({ height, width, data });
    const { size, presence } = perceived;
    return { presence, size: `${size.height}x${size.width}`, ms: performance.now() - start };
  },

  async render({ aperture, focus }) {
    const start = performance.now();
    const { photo } = current();
    const pixels = await loaded().render(current(), aperture, focus);
    const bitmap = await createImageBitmap(new ImageData(pixels as Uint8ClampedArray<ArrayBuffer>, photo.width, photo.height));
    return { bitmap, ms: performance.now() - start };
  },

  async focus({ x, y }) {
    return loaded().focusAt(current(), x, y);
  },

  async view({ map }) {
    return createImageBitmap(viewOf(current(), map));
  },

  async check(place: Place, id): Promise<CheckRow[]> {
    const runtime = portraiture?.runtime ?? (await loadRuntime(place.wasm, place.backend, () => {}));
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
