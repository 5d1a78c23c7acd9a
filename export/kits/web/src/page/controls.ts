/** Buttons, slider and views of the page, with pointer and keys. */

import { byId } from "./dom";

export type View = "portrait" | "mask" | "depth";

export interface Actions {
  /** `moving` while a hand holds the slider. */
  aperture(moving: boolean): void;
  refocus(): void;
  compare(on: boolean): void;
  show(view: View): void;
  save(): void;
  again(): void;
  camera(): void;
  sample(): void;
}

export function watchControls(actions: Actions): void {
  byId("aperture").addEventListener("input", () => actions.aperture(true));
  byId("aperture").addEventListener("change", () => actions.aperture(false));
  byId("refocus").addEventListener("click", () => actions.refocus());
  byId("download").addEventListener("click", () => actions.save());
  byId("again").addEventListener("click", () => actions.again());
  byId("camera").addEventListener("click", () => actions.camera());
  byId("sample").addEventListener("click", () => actions.sample());
  for (const radio of document.querySelectorAll<HTMLInputElement>('input[name="view"]'))
    radio.addEventListener("change", () => actions.show(radio.value as View));
  holdToCompare(byId("compare"), actions.compare);
}

/** Compares while a pointer or a key is down. */
function holdToCompare(button: HTMLElement, compare: (on: boolean) => void): void {
  const set = (on: boolean): void => {
    button.setAttribute("aria-pressed", String(on));
    compare(on);
  };
  button.addEventListener("pointerdown", (event) => {
    button.setPointerCapture(event.pointerId);
    set(true);
  });
  for (const type of ["pointerup", "pointercancel", "blur"]) button.addEventListener(type, () => set(false));
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  button.addEventListener("keydown", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (!event.repeat) set(true);
  });
  button.addEventListener("keyup", () => set(false));
}
