/** Permanent errors that AWS services have in common. */

const INVALID = new Set([
  "InvalidParameter",
  "InvalidParameterException",
  "InvalidParameterValue",
  "InvalidParameterValueException",
]);

/**
 * Whether a request is invalid, so that a retry cannot help. Throttling, 5xx, denied access and misconfiguration may
 * pass.
 */
export const isInvalidParameter = ({ name }: Error) => INVALID.has(name);
