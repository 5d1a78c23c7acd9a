import { cpSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { defineConfig, type Plugin } from "vite";

const litert = join(dirname(createRequire(import.meta.url).resolve("@litertjs/core")), "..");
const { version } = createRequire(import.meta.url)(join(litert, "package.json")) as { version: string };

/** LiteRT loads its wasm files by name from a folder that is served; the page knows it as `__LITERT__`. */
const WASM = `litert-${version}/`;

function litertWasm(): Plugin {
  let out = "";
  return {
    name: "litert-wasm",
    apply: "build",
    configResolved: (config) => void (out = resolve(config.root, config.build.outDir)),
    closeBundle: () =>
      cpSync(join(litert, "wasm"), join(out, WASM), { recursive: true, filter: (name) => !name.includes("jspi") }),
  };
}

export default defineConfig({
  base: "./",
  define: { __LITERT__: JSON.stringify(WASM) },
  plugins: [litertWasm()],
  worker: { format: "iife" }, // LiteRT loads its script by importScripts, which modules lack
  build: {
    target: "es2022",
    rollupOptions: {
      input: { index: "index.html", check: "check.html", sw: "src/sw.ts" },
      output: { entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "assets/[name]-[hash].js") },
    },
  },
});
