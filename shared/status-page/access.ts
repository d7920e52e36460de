/**
 * Who may see a private status page: whoever knows its password, or came by a signed link from the dashboard. Both get a
 * signed cookie. A new password changes what is signed, so that earlier cookies and links end with it. Pure.
 */
import { createHmac, randomBytes, scryptSync, timingSafeEqual } from "node:crypto";
import type { StatusPage } from "../store/status-pages.ts";

const HASH_BYTES = 32;
/** How long a browser that gave the password sees the page. */
export const COOKIE_SECONDS = 12 * 3600;
/** How long a link from the dashboard may be followed. */
export const LINK_SECONDS = 600;

type Secrets = Pick<StatusPage, "id" | "secret" | "password">;

/** @returns what to store: scrypt (RFC 7914) with Node's parameters, some 50 ms, with a salt of its own */
export const hashPassword = (password: string) => {
  const salt = randomBytes(16).toString("base64url");
  return { salt, hash: scryptSync(password, salt, HASH_BYTES).toString("base64url") };
};

const isEqual = (a: Buffer, b: Buffer) => a.length === b.length && timingSafeEqual(a, b);

/** Compares in constant time. */
export const isPassword = (password: string, stored: NonNullable<StatusPage["password"]>) =>
  isEqual(scryptSync(password, stored.salt, HASH_BYTES), Buffer.from(stored.hash, "base64url"));

const signatureOf = ({ id, secret, password }: Secrets, purpose: string, content: string) =>
  createHmac("sha256", secret)
    .update(JSON.stringify([purpose, id, password?.hash ?? "", content]))
    .digest();

/** Signs that somebody may see a page. @param purpose `cookie` or `link`: one cannot stand for the other */
export const signAccess = (page: Secrets, purpose: "cookie" | "link", untilMs: number): string =>
  `${untilMs}.${signatureOf(page, purpose, String(untilMs)).toString("base64url")}`;

export const isAccess = (page: Secrets, purpose: "cookie" | "link", signed: string, nowMs: number): boolean => {
  const [until = "", signature = ""] = signed.split(".");
  return (
    isEqual(Buffer.from(signature, "base64url"), signatureOf(page, purpose, until)) &&
    /^\d{1,15}$/.test(until) &&
    Number(until) > nowMs
  );
};
