/** API tokens: what their text looks like, and the scopes that they can have. */

/** `hl_<id>_<secret>`, with id and secret as groups. */
export const TOKEN = /^hl_([a-z0-9]{4,40})_([A-Za-z0-9_-]{16,200})$/;

/** Each scope includes the ones before it. */
export const SCOPES = ["read", "write", "admin"] as const;
export type Scope = (typeof SCOPES)[number];
