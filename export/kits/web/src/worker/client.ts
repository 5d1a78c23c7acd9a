/** The page's side of the worker: each request is a promise. */

import type { CheckRow } from "../runtime/goldens";
import type { Progress } from "../runtime/download";
import type { Asks, Kind, Reply, Request } from "./messages";

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
  readonly progress: Progress | undefined;
  readonly row: ((row: CheckRow) => void) | undefined;
}

export interface Listeners {
  readonly progress?: Progress;
  readonly row?: (row: CheckRow) => void;
}

export class Client {
  private readonly worker = new Worker(new URL("./worker.ts", import.meta.url), { name: "portraiture" });
  private readonly waiting = new Map<number, Waiting>();
  private last = 0;

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<Reply>) => this.receive(data);
    this.worker.onerror = (event) => this.fail(new Error(event.message || "the page's worker did not start; load the page again"));
  }

  ask<K extends Kind>(kind: K, ask: Asks[K]["ask"], listeners: Listeners = {}, transfer: Transferable[] = []): Promise<Asks[K]["answer"]> {
    const id = ++this.last;
    const request: Request<K> = { id, kind, ask };
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as (answer: never) => void, reject, progress: listeners.progress, row: listeners.row });
      this.worker.postMessage(request, transfer);
    });
  }

  private receive(reply: Reply): void {
    const waiting = this.waiting.get(reply.id);
    if (!waiting) return;
    if ("progress" in reply) return waiting.progress?.(...reply.progress);
    if ("row" in reply) return waiting.row?.(reply.row);
    this.waiting.delete(reply.id);
    if ("error" in reply) waiting.reject(new Error(reply.error));
    else waiting.resolve(reply.answer as never);
  }

  private fail(error: Error): void {
    this.waiting.forEach(({ reject }) => reject(error));
    this.waiting.clear();
  }
}
