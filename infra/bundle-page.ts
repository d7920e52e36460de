/**
 * Builds the dashboard's page: `functions/web/page/main.tsx` and what it imports, for browsers. Everything becomes one
 * file, `files.json`, with each content compressed: API Gateway compresses nothing itself.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";
import type { WebFile, WebFiles } from "../shared/web-files.ts";

const PAGE = "functions/web/page";
const ENTRY = `${PAGE}/main.tsx`;
/** Shares no file with the others: it is to be there before them. */
const EARLY = `${PAGE}/early.ts`;
const SHELL = `${PAGE}/index.html`;
const ICON = `${PAGE}/icon.svg`;
/** Browsers since 2023: nesting of CSS, `dialog`, top-level await. */
const BROWSERS = ["chrome111", "firefox114", "safari16.4"];

const sha256 = (content: Uint8Array) => createHash("sha256").update(content).digest("base64");

const fileOf = (type: string, content: Buffer): WebFile => ({
  type,
  etag: `"${sha256(content).slice(0, 22)}"`,
  identity: content.toString("base64"),
  gzip: gzipSync(content, { level: 9 }).toString("base64"),
  br: brotliCompressSync(content).toString("base64"),
});

/**
 * `style-src` by hash, because the page's styles are inline: a linked file would delay the first paint. Trusted Types
 * forbid markup from text.
 */
const policyOf = (styles: string) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'sha256-${sha256(Buffer.from(styles))}'`,
    "img-src 'self' data:",
    "connect-src 'self'",
    // The preview of a status page.
    "frame-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join("; ");

/** @returns the content of `files.json`, and the files that it is made from; no content where there is no page */
export const buildPage = async (root: string): Promise<{ content: Buffer | undefined; inputs: string[] }> => {
  if (!existsSync(join(root, ENTRY))) return { content: undefined, inputs: [ENTRY] };
  const buildScripts = (entryPoints: Readonly<Record<string, string>>) =>
    build({
      entryPoints: { ...entryPoints },
      outdir: "assets",
      absWorkingDir: root,
      bundle: true,
      platform: "browser",
      format: "esm",
      target: BROWSERS,
      jsx: "automatic",
      jsxImportSource: "preact",
      // Two scripts and what they share: each request counts at the gateway's throttle.
      splitting: true,
      entryNames: "[name]-[hash]",
      chunkNames: "[name]-[hash]",
      minify: true,
      legalComments: "none",
      metafile: true,
      logLevel: "silent",
      write: false,
    });
  const [early, whole] = await Promise.all([buildScripts({ early: EARLY }), buildScripts({ main: ENTRY })]);
  const { metafile } = whole;
  const outputs = [...early.outputFiles, ...whole.outputFiles].map(({ path, contents }) => ({
    name: basename(path),
    content: Buffer.from(contents),
  }));
  const scripts = outputs.filter(({ name }) => name.endsWith(".js"));
  const styles = outputs
    .filter(({ name }) => name.endsWith(".css"))
    .map(({ content }) => content.toString())
    .join("");
  const main = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === ENTRY)!;
  const shared = main[1].imports.filter(({ kind }) => kind === "import-statement");
  const shell = readFileSync(join(root, SHELL), "utf8")
    .replace("/* styles */", () => styles)
    .replace("early.js", `/${Object.keys(early.metafile.outputs)[0]}`)
    .replace("main.js", `/${main[0]}`)
    // Else the browser would ask for them only when it has read the first script.
    .replace("<!-- preload -->", shared.map(({ path }) => `<link rel="modulepreload" href="/${path}">`).join("\n"));
  const files: Record<string, WebFile> = {
    "/index.html": fileOf("text/html; charset=utf-8", Buffer.from(shell)),
    "/icon.svg": fileOf("image/svg+xml", readFileSync(join(root, ICON))),
  };
  for (const { name, content } of scripts) files[`/assets/${name}`] = fileOf("text/javascript; charset=utf-8", content);
  const page: WebFiles = { files, policy: policyOf(styles) };
  return {
    content: Buffer.from(JSON.stringify(page)),
    inputs: [...Object.keys({ ...early.metafile.inputs, ...metafile.inputs }), SHELL, ICON],
  };
};
