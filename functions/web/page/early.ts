/**
 * A script of its own, so small that it runs while the page's script is still on its way: it asks who is logged in, and
 * for the first rows of the list. Over a slow line they else came a round trip later.
 */
import { isKnown, secretHeader } from "./kept.ts";
import { firstUrl, isList, periodIn } from "./monitors/first-read.ts";

declare global {
  /** Answers to what was asked for early, by path; each is used once. */
  var early: Map<string, Promise<Response>> | undefined;
}

if (isKnown()) {
  const list = isList(location.pathname) ? [firstUrl(periodIn(new URLSearchParams(location.search)))] : [];
  globalThis.early = new Map(
    ["/v1/session", ...list].map((path) => {
      const response = fetch(path, { headers: secretHeader() });
      // Whoever takes it says what is wrong.
      response.catch(() => {});
      return [path, response];
    }),
  );
}
