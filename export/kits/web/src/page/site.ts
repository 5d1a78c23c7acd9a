/** What the folder that serves the page holds, and how it is kept for days without a network. */

import { downloadJson } from "../runtime/download";
import type { Place } from "../worker/messages";

declare const __LITERT__: string;

export interface Site {
  readonly version: string;
  readonly precision: string;
  /** Folder of the bundle, ending in a slash. */
  readonly bundle: string;
  readonly files: readonly string[];
}

export const readSite = (): Promise<Site> => downloadJson<Site>("./files.json");

/** Where the worker finds bundle and wasm: whole addresses, a worker's own address is another. */
export function placeOf(site: Site): Place {
  const at = (folder: string): string => new URL(folder, location.href).href;
  const options = new URLSearchParams(location.search);
  const asked = options.get("backend");
  const threads = Number(options.get("threads")) || undefined;
  const backend = asked === "wasm" || asked === "webgpu" ? asked : "auto";
  return { bundle: at(site.bundle), wasm: at(__LITERT__), precision: site.precision, backend, threads };
}

const PREFIX = "portraiture-";

/** Keeps the page and its models in the browser. Of LiteRT's variants only the one that runs here. */
export async function keepOffline(site: Site, variant: string): Promise<void> {
  if (!("serviceWorker" in navigator) || !("caches" in globalThis)) return;
  const name = PREFIX + site.version;
  const cache = await caches.open(name);
  const wanted = site.files.filter((f) => !f.includes("/goldens/") && (!f.startsWith(__LITERT__) || f.startsWith(`${__LITERT__}${variant}.`)));
  const missing: string[] = [];
  for (const file of ["./", "./files.json", ...wanted]) if (!(await cache.match(file))) missing.push(file);
  await cache.addAll(missing);
  for (const old of await caches.keys()) if (old.startsWith(PREFIX) && old !== name) await caches.delete(old);
  await navigator.serviceWorker.register("./sw.js");
}
