/**
 * Serves the page without a network, from the cache that the page filled, and gives every answer the headers that threads
 * need, which a host of static files may not send.
 */

const worker = self as unknown as ServiceWorkerLike;

interface ExtendableEventLike extends Event {
  waitUntil(promise: Promise<unknown>): void;
}

interface FetchEventLike extends ExtendableEventLike {
  readonly request: globalThis.Request;
  respondWith(response: Promise<Response>): void;
}

interface ServiceWorkerLike {
  readonly location: Location;
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listen: (event: ExtendableEventLike) => void): void;
  addEventListener(type: "fetch", listen: (event: FetchEventLike) => void): void;
}

/** Files whose names change when they do. */
const FIXED = /\/(assets|bundle-[0-9a-f]+|litert-[^/]+)\//;

worker.addEventListener("install", (event) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "GET" && new URL(request.url).origin === worker.location.origin) event.respondWith(answer(request));
});

async function answer(request: globalThis.Request): Promise<Response> {
  const kept = await caches.match(request, { ignoreSearch: true });
  if (kept && FIXED.test(new URL(request.url).pathname)) return isolated(kept);
  try {
    return isolated(await fetch(request));
  } catch (error) {
    if (kept) return isolated(kept);
    throw error;
  }
}

function isolated(response: Response): Response {
  if (response.type === "opaque" || response.type === "error" || response.status === 0) return response;
  const headers = new Headers(response.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  const empty = response.status === 204 || response.status === 304;
  return new Response(empty ? null : response.body, { status: response.status, statusText: response.statusText, headers });
}
