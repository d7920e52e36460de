/** Headers of answers, for the OpenAPI document. A response lists those that it can have. */
export const HEADERS = {
  accept: { description: "Content types that the call takes.", example: "application/json" },
  "accept-encoding": { description: "Encodings of the body that the call takes.", example: "identity" },
  allow: { description: "Methods that the path has.", example: "GET, HEAD" },
  "cache-control": { description: "Who may keep the answer, and for how long.", example: "private, no-cache" },
  "content-security-policy": {
    description: "What a page may load and run.",
    example: "default-src 'none'",
  },
  "content-encoding": { description: "How the body is compressed: `br` or `gzip`.", example: "br" },
  etag: {
    description:
      "Tag of this answer, for `If-None-Match`. Of an item that can change also the version of its settings, for `If-Match`.",
    example: '"mi6xkq8w.J1cQ3Rk7vK2tGm0x"',
  },
  "idempotent-replayed": {
    description: "`true` when an earlier request with the same `Idempotency-Key` did the work.",
    example: "true",
  },
  link: { description: "The next page, with `rel=next`.", example: '</v1/monitors/7ca139c8bbaa9b19b116>; rel="next"' },
  location: { description: "Where the new item is.", example: "/v1/monitors/7ca139c8bbaa9b19b116" },
  ratelimit: { description: "What is left of the token's share.", example: '"token";r=1199;t=42' },
  "ratelimit-policy": { description: "The token's share: calls, and seconds.", example: '"token";q=1200;w=60' },
  "referrer-policy": { description: "What links of a page tell of its address.", example: "no-referrer" },
  "retry-after": { description: "Seconds to wait before trying again.", example: "2" },
  "set-cookie": { description: "The cookie of the session.", example: "__Host-harborlight=…; HttpOnly; Secure" },
  vary: { description: "Headers of the request on which the answer depends.", example: "accept-encoding" },
  "www-authenticate": {
    description: "What kind of credentials is needed (RFC 6750).",
    example: 'Bearer realm="harborlight"',
  },
  "x-next-cursor": {
    description: "`nextCursor` of an answer that is not JSON; missing on the last page.",
    example: "eyJ",
  },
} as const satisfies Readonly<Record<string, { readonly description: string; readonly example: string }>>;
export type HeaderName = keyof typeof HEADERS;
