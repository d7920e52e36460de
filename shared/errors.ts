/** Errors that callers of the API may see. Each has a stable code and one HTTP status, side by side in `STATUS`. */

export interface FieldError {
  /** JSON path such as `alerts.emails[0]`; empty for the body as a whole. */
  readonly path: string;
  /** What was expected and what was sent. */
  readonly message: string;
}

/** Settings or parameters are invalid; lists every wrong field. */
export class InvalidInput extends Error {
  readonly code = "invalid-input";
  readonly errors: readonly FieldError[];
  constructor(errors: readonly FieldError[] | string, options?: ErrorOptions) {
    const list = typeof errors === "string" ? [{ path: "", message: errors }] : errors;
    super(list.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join("; "), options);
    this.errors = list;
  }
}
