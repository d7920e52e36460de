/** Schemas of channels' settings. Uses the small build of zod, because alerts wait for a cold start. */
import * as z from "zod/mini";

/** A setting that is shown to those who may read channels. */
export const shown = <S extends z.ZodMiniType>(schema: S, description: string): S =>
  schema.check(z.meta({ description })) as S;

/** A setting that never comes back: it is stored apart from the others. Its messages must not repeat its value. */
export const secret = <S extends z.ZodMiniType>(schema: S, description: string): S =>
  schema.check(z.meta({ description, writeOnly: true })) as S;

/** Text of this pattern. @param expected in words, as in "must be …" */
export const matching = (pattern: RegExp, expected: string) =>
  z.string().check(z.regex(pattern, `must be ${expected}`));

/** A key or token that is sent in a header. */
export const key = () => matching(/^[\x21-\x7e]{1,1000}$/, "1 to 1000 visible ASCII characters without spaces");

const isPlainUrl = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, hash } = new URL(text);
  return /^https?:$/.test(protocol) && username + password + hash === "";
};

/** An http or https URL, which may hold a token in its path or query. */
export const url = () =>
  z
    .string()
    .check(
      z.maxLength(2048, "must be at most 2048 characters"),
      z.refine(isPlainUrl, "must be an http or https URL without a user name and without a #fragment"),
    );

/** Address of a server, to which the channel appends its path. */
export const server = (description: string) =>
  shown(
    url().check(z.refine((text) => !URL.canParse(text) || new URL(text).search === "", "must have no query")),
    description,
  );

/** Appends a path to the address of a server. */
export const at = (base: string, path: string): string => `${base.replace(/\/+$/, "")}/${path}`;
