/** API tokens: what their text looks like, and the scopes that they can have. */

/** `hl_<id>_<secret>`, with id and secret as groups. */
export const TOKEN = /^hl_([a-z0-9]{4,40})_([A-Za-z0-9_-]{16,200})$/;

/**
 * Each scope includes the ones before it. `metrics` reads `/v1/metrics` only; `deploy` changes monitors, but reads neither
 * secrets nor addresses of people, which only `write` shows.
 */
export const SCOPES = ["metrics", "read", "deploy", "write", "admin"] as const;
export type Scope = (typeof SCOPES)[number];
