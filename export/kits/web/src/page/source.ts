/** Where a photo comes from: a file, a drop, the clipboard, the camera, the sample. Upright, by the browser's own EXIF. */

import { byId } from "./dom";

/** Most pixels of a photo, and most bytes of its file: about 900 MB of memory at work. Chosen. */
const MOST_MEGAPIXELS = 50;
const MOST_MEGABYTES = 100;

export interface Taken {
  readonly bitmap: ImageBitmap;
  /** Name without its ending. */
  readonly name: string;
}

/** Decodes a file; raises with a line for a person. */
export async function takeFile(file: File): Promise<Taken> {
  if (file.size > MOST_MEGABYTES * 1e6)
    throw new Error(`${file.name} is ${Math.round(file.size / 1e6)} MB, and this page takes up to ${MOST_MEGABYTES} MB. Export a smaller copy.`);
  if (file.type && !file.type.startsWith("image/"))
    throw new Error(`${file.name} is no picture. Choose a JPEG, PNG or WebP photo.`);
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error(`This browser cannot read ${file.name}. Export the photo as JPEG or PNG.`);
  }
  const megapixels = (bitmap.width * bitmap.height) / 1e6;
  if (megapixels > MOST_MEGAPIXELS) {
    bitmap.close();
    throw new Error(`${file.name} has ${megapixels.toFixed(0)} megapixels, and this page takes up to ${MOST_MEGAPIXELS}. Export a smaller copy.`);
  }
  return { bitmap, name: file.name.replace(/\.[^.]*$/, "") || "photo" };
}

export async function takeSample(): Promise<Taken> {
  const response = await fetch("./sample.jpg");
  if (!response.ok) throw new Error("The sample is not there. Choose a photo.");
  return takeFile(new File([await response.blob()], "sample.jpg", { type: "image/jpeg" }));
}

/** Calls back with each file that is picked, dropped or pasted. */
export function listenForFiles(onFile: (file: File) => void): void {
  const input = byId<HTMLInputElement>("file");
  byId("pick").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const [file] = input.files ?? [];
    input.value = "";
    if (file) onFile(file);
  });
  let inside = 0;
  const mark = (): void => void document.body.classList.toggle("dragging", inside > 0);
  const around = (change: number) => (event: DragEvent): void => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    inside = Math.max(0, inside + change);
    mark();
  };
  addEventListener("dragenter", around(1));
  addEventListener("dragleave", around(-1));
  addEventListener("dragover", around(0));
  addEventListener("drop", (event) => {
    event.preventDefault();
    inside = 0;
    mark();
    const file = event.dataTransfer?.files[0];
    if (file) onFile(file);
  });
  addEventListener("paste", (event) => {
    const file = event.clipboardData?.files[0];
    if (file) onFile(file);
  });
}

/** Opens the camera in a dialog; null where the person goes back. */
export async function takeCamera(): Promise<Taken | null> {
  const dialog = byId<HTMLDialogElement>("camera-dialog");
  const video = byId<HTMLVideoElement>("video");
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      video: { facingMode: "user", width: { ideal: 1920 }, height: { ideal: 1440 } },
    });
  } catch {
    throw new Error("The camera is not there or not allowed. Allow it in the browser's settings, or choose a photo.");
  }
  try {
    video.srcObject = stream;
    await video.play();
    dialog.showModal();
    const taken = await new Promise<boolean>((resolve) => {
      byId("shoot").onclick = () => resolve(true);
      byId("camera-close").onclick = () => resolve(false);
      dialog.oncancel = () => resolve(false);
    });
    return taken ? { bitmap: await createImageBitmap(video), name: "camera" } : null;
  } finally {
    dialog.close();
    stream.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
  }
}
