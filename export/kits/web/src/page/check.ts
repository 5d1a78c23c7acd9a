/** The self-check page. */

import type { CheckRow } from "../runtime/goldens";
import { Client } from "../worker/client";
import { byId, say, wordOf } from "./dom";
import { placeOf, readSite } from "./site";

const decibel = (value: number): string => (value === Infinity ? "equal" : `${value.toFixed(1)} dB`);

function asked({ tolerance: t }: CheckRow): string {
  const parts = [
    t.max_abs === null ? "" : `error ≤ ${t.max_abs}`,
    t.min_psnr_db === null ? "" : `≥ ${t.min_psnr_db} dB`,
    t.min_tile_db === null ? "" : `tiles ≥ ${t.min_tile_db} dB`,
    t.min_iou === null ? "" : `IoU ≥ ${t.min_iou}`,
  ];
  return parts.filter(Boolean).join(", ");
}

function add(row: CheckRow): void {
  const line = document.createElement("tr");
  line.className = row.passed ? "passed" : "failed";
  const cells = [
    row.file.replace(/^.*\//, ""), row.output, row.passed ? "passed" : "failed", row.difference.maxAbs.toExponential(1),
    decibel(row.difference.psnrDb), asked(row), row.backend === "webgpu" ? "WebGPU" : "WebAssembly", `${row.ms.toFixed(0)} ms`,
  ];
  cells.forEach((text, k) => {
    const cell = document.createElement(k ? "td" : "th");
    if (!k) cell.setAttribute("scope", "row");
    cell.textContent = text;
    line.append(cell);
  });
  byId("rows").append(line);
}

async function run(): Promise<void> {
  const rows = await new Client().ask("check", placeOf(await readSite()), { row: add });
  const failed = rows.filter((r) => !r.passed).length;
  const verdict = byId("verdict");
  verdict.classList.add(failed || !rows.length ? "failed" : "passed");
  verdict.textContent = failed
    ? `${failed} of ${rows.length} outputs are not what they should be`
    : rows.length ? `All ${rows.length} outputs are as PyTorch computes them` : "Nothing was checked: the bundle has no goldens of these files";
  document.body.dataset["checked"] = String(rows.length);
}

run().catch((error: unknown) => {
  byId("verdict").hidden = true;
  say("error", wordOf(error));
});
