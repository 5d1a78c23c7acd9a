/** Small things around the document. */

export function byId<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page lacks #${id}`);
  return found as T;
}

/** Says a line to screen readers. */
export function announce(line: string): void {
  byId("status").textContent = line;
}

/** Shows a line, or hides the element where there is none. */
export function say(id: string, line: string): void {
  const element = byId(id);
  element.textContent = line;
  element.hidden = !line;
}

export const wordOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
