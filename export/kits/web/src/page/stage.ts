/** The picture: photo, portrait and maps over each other, the ring of the focus, taps and keys. */

import { byId } from "./dom";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Step of an arrow key as a share of the picture; with Shift a fifth of it. Chosen. */
const STEP = 0.05;

export class Stage {
  private readonly stage = byId("stage");
  private readonly result = byId<HTMLCanvasElement>("result");
  private readonly photo = byId<HTMLCanvasElement>("photo");
  private readonly map = byId<HTMLCanvasElement>("map");
  private readonly reticle = byId("reticle");
  private readonly tag = byId("tag");
  /** Of the ring, as shares of the picture. */
  private cursor: Point = { x: 0.5, y: 0.5 };

  constructor(private readonly onFocus: (point: Point) => void, private readonly onRefocus: () => void) {
    this.stage.addEventListener("click", (event) => {
      const box = this.stage.getBoundingClientRect();
      this.choose({ x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height });
    });
    this.stage.addEventListener("keydown", (event) => this.key(event));
    this.stage.addEventListener("blur", () => this.reticle.classList.remove("moving"));
  }

  get size(): { width: number; height: number } {
    return { width: this.photo.width, height: this.photo.height };
  }

  /** Puts a new photo on the stage; until there is a portrait it is what shows. */
  showPhoto(bitmap: ImageBitmap): void {
    for (const canvas of [this.photo, this.result]) {
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
    }
    this.stage.style.setProperty("--aspect", `${bitmap.width} / ${bitmap.height}`);
    document.body.style.setProperty("--ratio", String(bitmap.width / bitmap.height));
    this.context(this.photo).drawImage(bitmap, 0, 0);
    this.context(this.result).drawImage(bitmap, 0, 0);
    this.compare(false);
    this.showMap(null);
    this.unfocus();
  }

  showPortrait(bitmap: ImageBitmap): void {
    this.context(this.result).drawImage(bitmap, 0, 0, this.result.width, this.result.height);
    bitmap.close();
  }

  /** Shows a map over the portrait, or none. */
  showMap(bitmap: ImageBitmap | null): void {
    this.map.hidden = !bitmap;
    if (!bitmap) return;
    this.map.width = bitmap.width;
    this.map.height = bitmap.height;
    this.context(this.map).drawImage(bitmap, 0, 0);
    bitmap.close();
  }

  compare(on: boolean): void {
    this.photo.classList.toggle("shown", on);
    this.tag.hidden = !on;
    this.tag.textContent = "Photo";
  }

  unfocus(): void {
    this.reticle.hidden = true;
    this.cursor = { x: 0.5, y: 0.5 };
  }

  async encode(type: string): Promise<Blob> {
    const blob = await new Promise<Blob | null>((resolve) => this.result.toBlob(resolve, type, 0.95));
    if (!blob) throw new Error("The portrait could not be encoded. Try the other format.");
    return blob;
  }

  private choose(share: Point): void {
    this.moveTo(share);
    this.reticle.classList.remove("moving");
    this.onFocus({ x: Math.floor(share.x * this.size.width), y: Math.floor(share.y * this.size.height) });
  }

  private moveTo({ x, y }: Point): void {
    const within = (v: number): number => Math.min(Math.max(v, 0), 0.9999);
    this.cursor = { x: within(x), y: within(y) };
    this.reticle.style.setProperty("left", `${100 * this.cursor.x}%`);
    this.reticle.style.setProperty("top", `${100 * this.cursor.y}%`);
    this.reticle.hidden = false;
  }

  private key(event: KeyboardEvent): void {
    const step = event.shiftKey ? STEP / 5 : STEP;
    const moves: Record<string, [number, number]> = {
      ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step],
    };
    const move = moves[event.key];
    if (move) {
      this.moveTo({ x: this.cursor.x + move[0], y: this.cursor.y + move[1] });
      this.reticle.classList.add("moving");
    } else if (event.key === "Enter" || event.key === " ") this.choose(this.cursor);
    else if (event.key === "Escape") this.onRefocus();
    else return;
    event.preventDefault();
  }

  private context(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
    const context = canvas.getContext("2d");
    if (!context) throw new Error("The browser has no memory for this photo. Choose a smaller one.");
    return context;
  }
}
