/** Tags of answers' content, and the requests that know one already (RFC 9110, sections 8.8.3 and 13.1.2). */
import { createHash } from "node:crypto";

/** Hash of an answer's content; 96 bits, so that no two contents of one address meet. */
export const contentHash = (body: string | Uint8Array) =>
  createHash("sha256").update(body).digest("base64url").slice(0, 16);

/** Whether `If-None-Match` names the tag. It compares weakly: a proxy that compresses makes strong tags weak. */
export const isKnownTag = (ifNoneMatch: string | undefined, tag: string) =>
  ifNoneMatch !== undefined &&
  (ifNoneMatch.trim() === "*" || ifNoneMatch.split(",").some((known) => known.trim().replace(/^W\//, "") === tag));
