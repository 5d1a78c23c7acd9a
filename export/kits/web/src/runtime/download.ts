/** Downloads with progress. */

export type Progress = (done: number, total: number) => void;

/** The bytes of a file; `onBytes` is told how many came with each piece. */
export async function download(url: string, onBytes: (count: number) => void = () => {}): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok || !response.body) throw new Error(`${url}: expected a file, found ${response.status} ${response.statusText}; serve the whole folder`);
  const pieces: Uint8Array[] = [];
  let length = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value);
    length += value.length;
    onBytes(value.length);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

export async function downloadJson<T>(url: string): Promise<T> {
  return JSON.parse(new TextDecoder().decode(await download(url))) as T;
}
