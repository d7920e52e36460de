/** Refusals that AWS services have in common. */

const INVALID = new Set([
  "InvalidParameter",
  "InvalidParameterException",
  "InvalidParameterValue",
  "InvalidParameterValueException",
]);

/** Whether what was sent can never be taken. All else (throttling, 5xx, denied access, wrong set-up) may pass. */
export const isInvalidParameter = ({ name }: Error) => INVALID.has(name);
