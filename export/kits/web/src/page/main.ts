/** The page: a photo in, a portrait out. */

import { apertureMax, aperturePaper, focusOnPerson } from "../contract";
import { Client } from "../worker/client";
import type { Loaded } from "../worker/messages";
import { announce, byId, say, wordOf } from "./dom";
import { keepOffline, placeOf, readSite } from "./site";
import { listenForFiles, takeCamera, takeFile, takeSample, type Taken } from "./source";
import { type Point, Stage } from "./stage";
import { type View, watchControls } from "./controls";

const client = new Client();
const stage = new Stage((point) => void focusOn(point), refocus);
const slider = byId<HTMLInputElement>("aperture");

let focus = focusOnPerson;
let name = "photo";
let photos = 0;
/** Nobody was found: nothing is blurred until a point is tapped. */
let waiting = false;
let loading: Promise<Loaded>;

function showAperture(): void {
  const percent = (100 * Number(slider.value)).toFixed(1);
  byId("aperture-value").textContent = `${percent} %`;
  slider.setAttribute("aria-valuetext", `${percent} percent of the diagonal`);
  slider.style.setProperty("--share", String(Number(slider.value) / apertureMax));
}

/** One portrait at a time; of what is asked meanwhile only the last counts. */
let drawing: Promise<void> | null = null;
let outdated = false;
/** Of a large photo a smaller portrait is shown first, and alone while the slider moves. */
let large = false;
let sliding = false;

function draw(): Promise<void> {
  if (waiting) return Promise.resolve();
  outdated = true;
  return (drawing ??= drawAll().finally(() => (drawing = null)));
}

async function drawAll(): Promise<void> {
  byId("busy").hidden = false;
  try {
    while (outdated) {
      outdated = false;
      for (const quick of large ? [true, false] : [false]) {
        if (!quick && large && (sliding || outdated)) break; // the whole one when the hand rests
        const of = photos;
        const aperture = Number(slider.value);
        const { bitmap, ms } = await client.ask("render", { aperture, focus, quick });
        if (of !== photos) break;
        stage.showPortrait(bitmap);
        if (quick) continue;
        document.body.dataset["portrait"] = `${aperture} ${focus}`;
        facts(ms);
        announce("The portrait is ready.");
      }
    }
  } catch (error) {
    say("error", wordOf(error));
  } finally {
    byId("busy").hidden = true;
  }
}

let perceivedMs = 0;
let modelSize = "";

function facts(ms: number): void {
  const { width, height } = stage.size;
  const seconds = (value: number): string => `${(value / 1000).toFixed(1)} s`;
  void loading.then(({ backend, threads }) => {
    const on = backend === "webgpu" ? "WebGPU" : threads > 1 ? `WebAssembly, ${threads} threads` : "WebAssembly";
    byId("facts").textContent = `${width} × ${height}, model ${modelSize}. Found the person in ${seconds(perceivedMs)}, drew in ${seconds(ms)}, on ${on}.`;
  });
}

async function open(take: () => Promise<Taken | null>): Promise<void> {
  delete document.body.dataset["portrait"];
  say("start-error", "");
  say("error", "");
  let taken: Taken | null;
  try {
    taken = await take();
  } catch (error) {
    return fail(error);
  }
  if (!taken) return;
  photos++;
  const mine = photos;
  name = taken.name;
  focus = focusOnPerson;
  waiting = false;
  stage.showPhoto(taken.bitmap);
  showEditor(true);
  byId("busy").hidden = false;
  announce("Looking for the person.");
  try {
    await loading;
    const { presence, size, large: isLarge, ms } = await client.ask("photo", { bitmap: taken.bitmap }, {}, [taken.bitmap]);
    if (mine !== photos) return;
    [perceivedMs, modelSize, large] = [ms, size, isLarge];
    waiting = presence === "absent";
    document.body.dataset["presence"] = presence;
    if (waiting) say("error", "No person was found in this photo. Tap what should stay sharp, or choose another photo.");
    say("note", presence === "uncertain" ? "The person was found uncertainly: look at the mask." : "");
    byId("focus-value").textContent = waiting ? "On nothing yet" : "On the person";
    await (waiting ? Promise.resolve(void (byId("busy").hidden = true)) : draw());
  } catch (error) {
    fail(error);
  }
}

function fail(error: unknown): void {
  byId("busy").hidden = true;
  say(byId("editor").hidden ? "start-error" : "error", wordOf(error));
}

async function focusOn({ x, y }: Point): Promise<void> {
  if (!modelSize) return;
  try {
    focus = await client.ask("focus", { x, y });
  } catch (error) {
    return fail(error);
  }
  waiting = false;
  say("error", "");
  const person = focus < 0;
  byId("focus-value").textContent = person ? "On the person" : "On the ring";
  byId("refocus").hidden = person || document.body.dataset["presence"] === "absent";
  await draw();
}

function refocus(): void {
  if (document.body.dataset["presence"] === "absent") return;
  focus = focusOnPerson;
  stage.unfocus();
  byId("focus-value").textContent = "On the person";
  byId("refocus").hidden = true;
  byId("stage").focus();
  void draw();
}

async function show(view: View): Promise<void> {
  byId("legend").hidden = view !== "depth";
  try {
    stage.showMap(view === "portrait" ? null : await client.ask("view", { map: view }));
  } catch (error) {
    fail(error);
  }
}

async function save(): Promise<void> {
  sliding = false;
  await draw();
  const type = byId<HTMLSelectElement>("format").value;
  try {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await stage.encode(type));
    link.download = `${name}_portrait.${type === "image/png" ? "png" : "jpg"}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  } catch (error) {
    fail(error);
  }
}

function showEditor(on: boolean): void {
  byId("start").hidden = on;
  byId("editor").hidden = !on;
  document.body.classList.toggle("editing", on);
  if (!on) return byId("pick").focus();
  byId<HTMLInputElement>("refocus").hidden = true;
  document.querySelector<HTMLInputElement>('input[name="view"][value="portrait"]')!.checked = true;
  byId("legend").hidden = true;
  say("note", "");
}

async function load(): Promise<Loaded> {
  for (const [part, there] of [["WebAssembly", "WebAssembly" in globalThis], ["OffscreenCanvas", "OffscreenCanvas" in globalThis]] as const)
    if (!there) throw new Error(`This browser has no ${part}, which the models need. Use a current Chrome, Edge, Firefox or Safari.`);
  const site = await readSite();
  const bar = byId<HTMLProgressElement>("progress");
  const loaded = await client.ask("load", placeOf(site), {
    progress: (done, total) => {
      bar.value = done / total;
      byId("progress-label").textContent = `Loading the models, ${(done / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB`;
    },
  });
  byId("loading").classList.add("done");
  byId("progress-label").textContent = "The models are ready";
  document.body.dataset["ready"] = loaded.backend;
  keepOffline(site, loaded.variant).then(
    () => (document.body.dataset["offline"] = "kept"),
    (error: unknown) => console.warn(`not kept for offline use: ${wordOf(error)}`),
  );
  return loaded;
}

slider.min = "0";
slider.max = String(apertureMax);
slider.step = String(apertureMax / 40);
slider.value = String(aperturePaper);
showAperture();
loading = load();
loading.catch((error: unknown) => {
  byId("loading").hidden = true;
  fail(error);
});
listenForFiles((file) => void open(() => takeFile(file)));
watchControls({
  aperture: (moving) => {
    sliding = moving;
    showAperture();
    void draw();
  },
  refocus,
  compare: (on) => stage.compare(on),
  show: (view) => void show(view),
  save: () => void save(),
  again: () => showEditor(false),
  camera: () => void open(takeCamera),
  sample: () => void open(takeSample),
});
