import { expect, test } from "vitest";
import { createFileServer } from "../../../functions/web/files.ts";
import type { WebFile } from "../../../shared/web-files.ts";

const file = (name: string): WebFile => ({
  type: "text/plain",
  etag: `"${name}"`,
  identity: `${name} identity`,
  gzip: `${name} gzip`,
  br: `${name} br`,
});
const serve = createFileServer({
  files: { "/index.html": file("shell"), "/icon.svg": file("icon"), "/assets/main-AB.js": file("main") },
  policy: "default-src 'none'",
});
const ask = (path: string, headers: Record<string, string> = {}, method = "GET") => serve({ method, path, headers });

test.each([
  ["/", "shell", "no-cache"],
  ["/monitors/abc", "shell", "no-cache"],
  ["/incidents", "shell", "no-cache"],
  ["/incidents/3547649929f5c1fe3e3e.1795814725573", "shell", "no-cache"],
  ["/index.html", "shell", "no-cache"],
  ["/favicon.ico", "icon", "public, max-age=86400"],
  ["/assets/main-AB.js", "main", "public, max-age=31536000, immutable"],
])("%s is answered by %s, kept as %s", (path, name, cacheControl) => {
  expect(ask(path)).toMatchObject({
    statusCode: 200,
    body: `${name} identity`,
    isBase64Encoded: true,
    headers: { etag: `"${name}"`, "cache-control": cacheControl, vary: "accept-encoding" },
  });
});

test.each(["/assets/old-XY.js", "/.env", "/wp-login.php", "/constructor.x", "/a/b.c"])(
  "there is nothing at %s",
  (path) => {
    expect(ask(path)).toMatchObject({ statusCode: 404, body: "There is nothing here.\n" });
  },
);

test.each(["POST", "PUT", "DELETE", "OPTIONS"])("%s is refused, with the methods that work", (method) => {
  expect(ask("/", {}, method)).toMatchObject({ statusCode: 405, headers: { allow: "GET, HEAD" } });
});

test.each([
  ["gzip, deflate, br", "br"],
  ["gzip", "gzip"],
  ["br;q=0, gzip;q=0.5", "gzip"],
  ["BR", "br"],
  ["identity", undefined],
  ["", undefined],
])("Accept-Encoding %j gets %s", (header, encoding) => {
  const answer = ask("/", { "accept-encoding": header });
  expect(answer.headers["content-encoding"]).toBe(encoding);
  expect(answer.body).toBe(`shell ${encoding ?? "identity"}`);
});

test.each(['"shell"', 'W/"shell"', '"old", "shell"', "*"])("If-None-Match %s: 304 without a body", (header) => {
  const answer = ask("/", { "if-none-match": header });
  expect(answer).toMatchObject({ statusCode: 304, headers: { etag: '"shell"' } });
  expect(answer).not.toHaveProperty("body");
});

test("every answer forbids what a page of ours never needs; https is kept to https", () => {
  expect(ask("/").headers).toMatchObject({
    "content-security-policy": "default-src 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
  });
  expect(ask("/").headers).not.toHaveProperty("strict-transport-security");
  expect(ask("/", { "x-forwarded-proto": "https" }).headers).toHaveProperty("strict-transport-security");
});
