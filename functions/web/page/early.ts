/**
 * A script of its own, so small that it runs while the page's script is still on its way: it asks for the first rows of
 * the list. Over a slow line they else came a round trip later.
 */
import { isKnown, secretHeader } from "./kept.ts";
import { firstUrl, isList, periodIn } from "./monitors/first-read.ts";

declare global {
  /** What was asked for early; it is used once. */
  var early: { readonly path: string; readonly response: Promise<Response> } | undefined;
}

if (isList(location.pathname) && isKnown()) {
  const path = firstUrl(periodIn(new URLSearchParams(location.search)));
  const response = fetch(path, { headers: secretHeader() });
  // Whoever takes it says what is wrong.
  response.catch(() => {});
  globalThis.early = { path, response };
}
