/** Wildcards of IAM: `*` is any text, `?` is any one character. */
const compiled = new Map<string, RegExp>();

export function textMatches(pattern: string, text: string): boolean {
  let expression = compiled.get(pattern);
  if (!expression) {
    const escaped = pattern
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".");
    expression = new RegExp(`^${escaped}$`, "s");
    compiled.set(pattern, expression);
  }
  return expression.test(text);
}

/** `arn:partition:service:region:account:resource`; only the resource may hold further colons. */
function segments(arn: string): string[] {
  const parts = arn.split(":");
  return [...parts.slice(0, 5), parts.slice(5).join(":")];
}

/** Whether an ARN matches a pattern. A wildcard matches within one segment of the ARN; `*` alone matches everything. */
export function arnMatches(pattern: string, arn: string): boolean {
  if (pattern === "*") return true;
  if (arn === "*" || pattern.split(":").length < 6 || arn.split(":").length < 6) return false;
  const wanted = segments(pattern);
  return segments(arn).every((segment, index) => textMatches(wanted[index]!, segment));
}
