// Copies the few files we use out of node_modules into static/vendor and writes static/vendor/vendor.json.
// Tabler's stylesheet is cut down to the classes our templates and Python use, and its dark rules are repeated for
// readers whose device, not a choice, says dark (data-bs-theme="auto").
// Run when a version, an icon or a class name changes: npm ci --ignore-scripts && npm run vendor
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import postcss from "postcss";
import { PurgeCSS } from "purgecss";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const target = join(root, "static", "vendor");
const modules = join(here, "node_modules");

const icons = readFileSync(join(here, "icons.txt"), "utf8").split(/\s+/).filter(Boolean);
const packages = [
  { name: "htmx.org", files: { "htmx.min.js": "dist/htmx.min.js" } },
  { name: "@tabler/core", files: { "tabler.css": tabler } },
  { name: "@tabler/icons", files: Object.fromEntries(icons.map((icon) => [`${icon}.svg`, `icons/outline/${icon}.svg`])) },
  { name: "barcode-detector", files: { "ponyfill.js": "dist/es/ponyfill.js", "zxing-exported.js": "dist/es/zxing-exported.js" } },
  { name: "zxing-wasm", files: { "zxing_reader.wasm": "dist/reader/zxing_reader.wasm" } },
];

/** Files below a folder whose name ends as asked. */
function find(folder, ending) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(ending) && !name.startsWith("vendor"))
    .map((name) => join(folder, name));
}

/** Tabler with only what the pages use, as readable CSS. */
async function tabler(folder) {
  const css = readFileSync(join(folder, "dist/css/tabler.css"), "utf8").replace(/\/\*# sourceMappingURL.*/, "");
  const own = find(join(root, "static"), ".css").map((file) => readFileSync(file, "utf8")).join("\n");
  const [{ css: purged }] = await new PurgeCSS().purge({
    content: [
      ...find(join(root, "templates"), ".html"), ...find(join(root, "api/pages"), ".py"), ...find(join(root, "static/js"), ".js"),
    ],
    css: [{ raw: css }],
    safelist: { standard: ["data-bs-theme"], variables: [...new Set(own.match(/--tblr-[\w-]+/g) ?? [])] },
    variables: true, keyframes: true, fontFace: true,
  });
  const sheet = postcss.parse(purged);
  repeatDarkForAuto(sheet);
  sheet.walkComments((comment) => { if (!comment.text.startsWith("!")) comment.remove(); });
  sheet.walkDecls((decl) => { decl.value = decl.value.replace(/\s+/g, " "); });
  return sheet.toString().replace(/\n\s*/g, "\n").replace(/\n+/g, "\n");
}

/** `[data-bs-theme=dark] x {…}` once more as `@media (prefers-color-scheme: dark) { [data-bs-theme=auto] x {…} }`. */
function repeatDarkForAuto(sheet) {
  const dark = /\[data-bs-theme=("?)dark\1\]/;
  sheet.walkRules(dark, (rule) => {
    const copy = rule.clone({ selectors: rule.selectors.filter((each) => dark.test(each)).map((each) => each.replace(dark, "[data-bs-theme=auto]")) });
    const media = postcss.atRule({ name: "media", params: "(prefers-color-scheme: dark)" });
    media.append(copy);
    rule.after(media);
  });
}

rmSync(target, { recursive: true, force: true });
const listed = [];
for (const { name, files } of packages) {
  const folder = join(modules, name);
  const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const place = `${name.replace("@", "").replace("/", "-").replace(".org", "")}-${about.version}`;
  mkdirSync(join(target, place), { recursive: true });
  const sums = {};
  const licence = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
  const wanted = { ...files, LICENSE: licence ?? (() => readFileSync(join(here, "licences", `${place}.txt`), "utf8")) };
  for (const [file, source] of Object.entries(wanted)) {
    const bytes = typeof source === "function" ? Buffer.from(await source(folder)) : readFileSync(join(folder, source));
    writeFileSync(join(target, place, file), bytes);
    sums[file] = createHash("sha256").update(bytes).digest("hex");
  }
  listed.push({ package: name, version: about.version, licence: about.license, folder: place, sha256: sums });
}
writeFileSync(join(target, "vendor.json"), JSON.stringify(listed, null, 2) + "\n");
console.log(listed.map((each) => `${each.package} ${each.version}: ${Object.keys(each.sha256).length} files`).join("\n"));
