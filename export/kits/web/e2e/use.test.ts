/** The page as people use it: keys, views, camera, errors, a phone, no network, no violation of accessibility. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { fixture, launch, open, plainHost, ready, slide, SLOW, URL_ } from "./browser";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let browser: Browser;
let page: Page;

async function fresh(options: BrowserContextOptions = {}): Promise<Page> {
  return (await browser.newContext({ viewport: { width: 1200, height: 800 }, ...options })).newPage();
}

async function violations(on: Page): Promise<string[]> {
  await on.evaluate(AXE);
  return on.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } };
    return (await axe.run()).violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`);
  });
}

const shown = (selector: string): Promise<string> => page.locator(selector).evaluate((e) => (e as HTMLElement).hidden ? "" : e.textContent!.trim());

beforeAll(async () => {
  browser = await launch();
  page = await fresh();
  await ready(page);
}, SLOW.timeout);

afterAll(() => browser.close());

it("can send nothing to another place", async () => {
  const { server, address } = await plainHost();
  let asked = 0;
  server.on("request", () => asked++);
  const sent = await page.evaluate((to) => fetch(to, { method: "POST", body: "a photo", mode: "no-cors" }).then(() => "sent", () => "refused"), address);
  expect([sent, asked]).toEqual(["refused", 0]);
  server.close();
});

it("says what it cannot take", async () => {
  await page.setInputFiles("#file", { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("hello") });
  await page.waitForSelector("#start-error:not([hidden])");
  expect(await shown("#start-error")).toBe("notes.txt is no picture. Choose a JPEG, PNG or WebP photo.");
  await page.setInputFiles("#file", { name: "broken.jpg", mimeType: "image/jpeg", buffer: Buffer.from("hello") });
  await page.waitForFunction(() => document.querySelector("#start-error")!.textContent!.includes("broken"));
  expect(await shown("#start-error")).toContain("Export the photo as JPEG or PNG");
  await page.setInputFiles("#file", fixture("huge.png"));
  await page.waitForFunction(() => document.querySelector("#start-error")!.textContent!.includes("megapixels"), null, SLOW);
  expect(await shown("#start-error")).toBe("huge.png has 51 megapixels, and this page takes up to 50. Export a smaller copy.");
}, SLOW.timeout);

it("says that nobody is there, and renders what is tapped all the same", async () => {
  await page.setInputFiles("#file", fixture("nobody.png"));
  await page.waitForSelector("#error:not([hidden])", SLOW);
  expect(await shown("#error")).toContain("No person was found");
  expect(await page.locator("body").getAttribute("data-portrait")).toBeNull();
  await page.locator("#stage").click({ position: { x: 20, y: 20 } });
  await page.waitForSelector("body[data-portrait]", SLOW);
  expect(await shown("#error")).toBe("");
}, SLOW.timeout);

it("is used by keys alone", async () => {
  await open(page, "astronaut.png");
  await page.focus("#stage");
  await page.keyboard.press("ArrowRight");
  expect(await page.locator("#reticle").isVisible()).toBe(true);
  for (let k = 0; k < 8; k++) for (const key of ["ArrowUp", "ArrowRight"]) await page.keyboard.press(key);
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => !document.body.dataset["portrait"]!.endsWith(" -1"), null, SLOW);
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.body.dataset["portrait"]!.endsWith(" -1"), null, SLOW);
  await page.focus("#compare");
  await page.keyboard.down(" ");
  expect(await page.locator("#photo").evaluate((e) => getComputedStyle(e).opacity)).toBe("1");
  await page.keyboard.up(" ");
  expect(await page.locator("#photo").evaluate((e) => getComputedStyle(e).opacity)).toBe("0");
  await page.focus("#aperture");
  const before = await page.inputValue("#aperture");
  await page.keyboard.press("ArrowRight");
  expect(Number(await page.inputValue("#aperture"))).toBeGreaterThan(Number(before));
}, SLOW.timeout);

it("shows mask and depth", async () => {
  const at = (x: number, y: number): Promise<number[]> =>
    page.evaluate(([x, y]) => {
      const map = document.querySelector<HTMLCanvasElement>("#map")!;
      return [...map.getContext("2d")!.getImageData(x! * map.width, y! * map.height, 1, 1).data.slice(0, 3)];
    }, [x, y]);
  await page.getByText("Mask", { exact: true }).click();
  await page.waitForSelector("#map:not([hidden])", SLOW);
  expect((await at(0.45, 0.3))[0]).toBeGreaterThan(200); // her face
  expect((await at(0.95, 0.05))[0]).toBeLessThan(50);
  await page.getByText("Depth", { exact: true }).click();
  await page.waitForSelector("#legend:not([hidden])");
  await page.waitForFunction(() => {
    const pixel = document.querySelector<HTMLCanvasElement>("#map")!.getContext("2d")!.getImageData(4, 4, 1, 1).data;
    return pixel[0] !== pixel[2];
  }, null, SLOW);
  await page.getByText("Portrait", { exact: true }).last().click();
  await page.waitForSelector("#map", { state: "hidden" });
}, SLOW.timeout);

it("takes a photo by the camera", async () => {
  const camera = await fresh({ permissions: ["camera"] });
  await ready(camera);
  await camera.click("#camera");
  await camera.waitForSelector("dialog[open]", SLOW);
  expect(await violations(camera)).toEqual([]);
  await camera.click("#shoot");
  await camera.waitForSelector("#editor:not([hidden])", SLOW);
  await camera.waitForSelector("body[data-presence]", SLOW);
  await camera.context().close();
}, SLOW.timeout);

it.each(["light", "dark"] as const)("has no violation of accessibility (%s)", async (colorScheme) => {
  const look = await fresh({ colorScheme });
  await ready(look);
  expect(await violations(look)).toEqual([]);
  await open(look, "astronaut.png");
  expect(await violations(look)).toEqual([]);
  await look.goto(`${URL_}check.html`);
  await look.waitForSelector("body[data-checked]", SLOW);
  expect(await violations(look)).toEqual([]);
  await look.context().close();
}, SLOW.timeout);

it("fits a phone", async () => {
  const phone = await fresh({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  await ready(phone);
  const overflow = (): Promise<number> => phone.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(await overflow()).toBeLessThanOrEqual(0);
  await open(phone, "tall.png");
  expect(await overflow()).toBeLessThanOrEqual(0);
  for (const button of await phone.locator("button:visible").all())
    expect((await button.boundingBox())!.height).toBeGreaterThanOrEqual(44);
  expect(await violations(phone)).toEqual([]);
  await phone.context().close();
}, SLOW.timeout);

it("computes the goldens by WebGPU too, here drawn in software", async (context) => {
  const software = await launch(["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan", "--use-vulkan=swiftshader"]);
  try {
    const gpu = await software.newPage();
    await gpu.goto(`${URL_}check.html?backend=webgpu`);
    const there = await gpu.evaluate(async () => Boolean(await (navigator as { gpu?: { requestAdapter(): Promise<unknown> } }).gpu?.requestAdapter()));
    if (!there) return context.skip("this Chromium has no WebGPU");
    await gpu.waitForSelector("body[data-checked]", { timeout: 4 * SLOW.timeout });
    expect(await gpu.textContent("tbody")).toContain("WebGPU");
    expect(await gpu.textContent("tbody")).not.toContain("WebAssembly");
    expect(await gpu.textContent("#verdict")).toContain("All 3 outputs");
    await ready(gpu);
    expect(await gpu.locator("body").getAttribute("data-ready")).toBe("wasm"); // software is left alone unless asked for
  } finally {
    await software.close();
  }
}, 6 * SLOW.timeout);

it("says what a browser lacks", async () => {
  const old = await fresh();
  await old.addInitScript(() => Reflect.deleteProperty(globalThis, "WebAssembly"));
  await old.goto(URL_);
  await old.waitForSelector("#start-error:not([hidden])");
  expect(await old.textContent("#start-error")).toContain("no WebAssembly");
  await old.context().close();
}, SLOW.timeout);

it("works without a network after one visit, from a plain host", async () => {
  const { server, address } = await plainHost();
  const away = await fresh();
  await ready(away, address);
  expect(await away.evaluate(() => crossOriginIsolated)).toBe(false);
  await away.waitForSelector("body[data-offline]", SLOW);
  await new Promise<void>((done) => {
    server.close(() => done());
    server.closeAllConnections();
  });
  await away.reload();
  await away.waitForSelector("body[data-ready]", SLOW);
  expect(await away.evaluate(() => crossOriginIsolated)).toBe(true); // the service worker sends what the host does not
  await away.click("#sample");
  await away.waitForSelector("body[data-portrait]", SLOW);
  await slide(away, 0.03);
  await away.context().close();
}, 2 * SLOW.timeout);
