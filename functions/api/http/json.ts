/** Parses JSON that callers send, and refuses what would be stored or understood otherwise than it was written. */
import { type FieldError, InvalidInput } from "../../../shared/errors.ts";

/** Deepest nesting: that of DynamoDB's attributes. Validation is recursive, and would exhaust the stack on far more. */
const MAX_DEPTH = 32;

export const TOO_DEEP: FieldError[] = [{ path: "", message: `must be nested at most ${MAX_DEPTH} levels deep` }];

/** Refused field names: zod silently skips `__proto__`, and the AWS SDK cannot marshal an object with `constructor`. */
const REFUSED_NAMES = new Set(["__proto__", "constructor"]);

/** Most errors that are reported. */
const MAX_ERRORS = 20;

/** An object or list that is not closed yet. */
interface Open {
  readonly path: string;
  /** Names so far of an object; undefined for a list. */
  readonly names: Set<string> | undefined;
  /** Name or index of the present entry. */
  at: string | number;
  /** Whether the next string is a name. */
  isNameNext: boolean;
}

const pathOf = ({ path, names, at }: Open): string => (names ? (path ? `${path}.${at}` : `${at}`) : `${path}[${at}]`);

/** Position of the quote that closes a string. @param start position of its opening quote */
const endOfString = (text: string, start: number): number => {
  const isEscaped = (quote: number) => {
    let first = quote;
    while (text[first - 1] === "\\") first--;
    return (quote - first) % 2 === 1;
  };
  let end = text.indexOf('"', start + 1);
  while (isEscaped(end)) end = text.indexOf('"', end + 1);
  return end;
};

/**
 * Finds what `JSON.parse` accepts and we refuse: deep nesting, names given twice (RFC 8259, section 4: parsers differ in
 * which value they take), `REFUSED_NAMES`, and unpaired surrogates, which cannot be stored or mailed.
 * @param text valid JSON
 */
const errorsIn = (text: string): FieldError[] => {
  const errors: FieldError[] = [];
  const refuse = (path: string, message: string) => void errors.push({ path: path.toWellFormed(), message });
  const open: Open[] = [];
  const tokens = /["{}[\],]/g;
  for (let token = tokens.exec(text); token && errors.length < MAX_ERRORS; token = tokens.exec(text)) {
    const inner = open.at(-1);
    switch (token[0]) {
      case "{":
      case "[": {
        if (open.length === MAX_DEPTH) return TOO_DEEP;
        const isObject = token[0] === "{";
        const names = isObject ? new Set<string>() : undefined;
        open.push({ path: inner ? pathOf(inner) : "", names, at: 0, isNameNext: isObject });
        break;
      }
      case "}":
      case "]":
        open.pop();
        break;
      case ",":
        if (inner?.names) inner.isNameNext = true;
        else if (inner) inner.at = Number(inner.at) + 1;
        break;
      default: {
        const end = endOfString(text, token.index);
        tokens.lastIndex = end + 1;
        const value: string = JSON.parse(text.slice(token.index, end + 1));
        if (inner?.names && inner.isNameNext) {
          inner.isNameNext = false;
          inner.at = value;
          if (inner.names.has(value)) refuse(pathOf(inner), "must be given once");
          inner.names.add(value);
          if (REFUSED_NAMES.has(value)) refuse(pathOf(inner), "is not allowed as the name of a field");
        }
        if (!value.isWellFormed())
          refuse(inner ? pathOf(inner) : "", "must be well-formed Unicode: it has half of a surrogate pair");
      }
    }
  }
  return errors;
};

/**
 * @throws SyntaxError if it is not JSON
 * @throws InvalidInput that names every refused field
 */
export const parseJson = (text: string): unknown => {
  const whole: unknown = JSON.parse(text);
  const errors = errorsIn(text);
  if (errors.length > 0) throw new InvalidInput(errors);
  return whole;
};
