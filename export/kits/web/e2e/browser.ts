/** A browser, and what tests ask of the page in it. */

import { createServer, type Server } from "node:http";
import { existsSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name}: expected a value, found none; run make test-apps`);
  return value;
}

/** Address of `portraiture demo`, the folder of `demo --build`, and the folder of photos and portraits. */
export const [URL_, SITE, FIXTURES] = [required("PORTRAITURE_URL"), required("PORTRAITURE_SITE"), required("PORTRAITURE_FIXTURES")];

export const fixture = (name: string): string => join(FIXTURES, name);

export function launch(more: string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: required("PORTRAITURE_CHROMIUM"),
    args: ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", ...more],
  });
}

export const SLOW = { timeout: 60_000 };

export async function ready(page: Page, address = URL_): Promise<void> {
  await page.goto(address);
  await page.waitForSelector("body[data-ready]", SLOW);
}

/** Opens a photo and waits for what the page makes of it. */
export async function open(page: Page, name: string): Promise<void> {
  await page.setInputFiles("#file", fixture(name));
  await page.waitForSelector("body[data-portrait]", SLOW);
}

/** Sets the aperture as a person's slide does, and waits for its portrait. */
export async function slide(page: Page, aperture: number): Promise<void> {
  await page.locator("#aperture").fill(String(aperture));
  await page.locator("#aperture").dispatchEvent("change");
  await page.waitForSelector(`body[data-portrait^="${aperture} "]`, SLOW);
}

/** PSNR in dB between the portrait on the page and a picture; of a part, as shares left, top, right, bottom, where given. */
export async function psnr(page: Page, picture: string, part: readonly number[] = [0, 0, 1, 1]): Promise<number> {
  const bytes = readFileSync(fixture(picture)).toString("base64");
  return page.evaluate(
    async ({ bytes, part }) => {
      const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))]));
      const { width, height } = bitmap;
      const canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext("2d")!;
      context.drawImage(bitmap, 0, 0);
      const result = document.querySelector<HTMLCanvasElement>("#result")!;
      if (result.width !== width || result.height !== height) return -1;
      const [left, top, right, bottom] = [part[0]! * width, part[1]! * height, part[2]! * width, part[3]! * height].map(Math.round) as [number, number, number, number];
      const box = [left, top, right - left, bottom - top] as const;
      const [a, b] = [context.getImageData(...box).data, result.getContext("2d")!.getImageData(...box).data];
      let sum = 0;
      for (let i = 0; i < a.length; i++) if (i % 4 !== 3) sum += (a[i]! - b[i]!) ** 2;
      return 10 * Math.log10((255 * 255 * a.length * 0.75) / Math.max(sum, 1e-9));
    },
    { bytes, part },
  );
}

const TYPES: Record<string, string> = {
  ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm", ".json": "application/json",
  ".svg": "image/svg+xml", ".jpg": "image/jpeg",
};

/** A plain host of static files: none of the headers that threads need. */
export async function plainHost(): Promise<{ server: Server; address: string }> {
  const server = createServer((request, response) => {
    const name = new URL(request.url ?? "/", "http://host").pathname.replace(/\/$/, "/index.html");
    const file = join(SITE, name);
    if (!existsSync(file)) return void response.writeHead(404).end();
    response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream" }).end(readFileSync(file));
  });
  await new Promise<void>((done) => server.listen(0, "localhost", done));
  const address = server.address();
  return { server, address: `http://localhost:${typeof address === "object" && address ? address.port : 0}/` };
}
