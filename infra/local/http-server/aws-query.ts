/**
 * The AWS query protocol, which SNS and SES v1 speak: form-encoded requests, XML answers. Names in the form are paths
 * (`Destination.ToAddresses.member.1`); `member.N` and `entry.N` are list elements.
 */

/** XML namespaces of answers. */
export const NAMESPACES = {
  sns: "http://sns.amazonaws.com/doc/2010-03-31/",
  ses: "http://ses.amazonaws.com/doc/2010-12-01/",
} as const;

export type Form = { readonly [name: string]: string | Form | readonly (string | Form)[] };

export const parseForm = (text: string): Form => {
  const root: Record<string, unknown> = {};
  for (const [path, value] of new URLSearchParams(text)) {
    const parts = path.split(".");
    let node = root;
    for (const part of parts.slice(0, -1)) {
      if (Object.hasOwn(node, part) && typeof node[part] !== "object") break;
      if (!Object.hasOwn(node, part))
        Object.defineProperty(node, part, { value: {}, enumerable: true, writable: true });
      node = node[part] as Record<string, unknown>;
    }
    Object.defineProperty(node, parts.at(-1)!, { value, enumerable: true, writable: true });
  }
  return listsOf(root) as Form;
};

const listsOf = (node: unknown): unknown => {
  if (typeof node !== "object" || node === null) return node;
  const entries = Object.entries(node);
  const [first] = entries;
  if (entries.length === 1 && (first![0] === "member" || first![0] === "entry") && typeof first![1] === "object") {
    const numbered = Object.entries(first![1] as object).sort(([a], [b]) => Number(a) - Number(b));
    if (numbered.every(([number]) => /^\d+$/.test(number))) return numbered.map(([, element]) => listsOf(element));
  }
  return Object.fromEntries(entries.map(([name, inner]) => [name, listsOf(inner)]));
};

/** A value of the answer: a list becomes `member` elements, a `Map` `entry` elements with key and value, undefined nothing. */
export type Xml =
  | string
  | number
  | boolean
  | undefined
  | ReadonlyMap<string, string>
  | readonly Xml[]
  | { readonly [name: string]: Xml };

const xml = (value: Xml): string => {
  if (Array.isArray(value)) return value.map((element: Xml) => `<member>${xml(element)}</member>`).join("");
  if (value instanceof Map) {
    return [...value]
      .map(([key, one]) => `<entry><key>${escapeXml(key)}</key><value>${escapeXml(one)}</value></entry>`)
      .join("");
  }
  if (typeof value !== "object") return escapeXml(String(value));
  return Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .map(([name, inner]) => `<${name}>${xml(inner)}</${name}>`)
    .join("");
};

const escapeXml = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

export const answerXml = (action: string, result: Xml, namespace: string, requestId: string): string =>
  `<${action}Response xmlns="${namespace}"><${action}Result>${xml(result)}</${action}Result>` +
  `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${action}Response>`;

export const errorXml = (code: string, message: string, status: number, namespace: string, requestId: string): string =>
  `<ErrorResponse xmlns="${namespace}"><Error><Type>${status < 500 ? "Sender" : "Receiver"}</Type>` +
  `<Code>${escapeXml(code)}</Code><Message>${escapeXml(message)}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`;

export const textOf = (form: Form, name: string): string | undefined => {
  const value = form[name];
  return typeof value === "string" ? value : undefined;
};

export const formOf = (form: Form, name: string): Form => {
  const value = form[name];
  return typeof value === "object" && !Array.isArray(value) ? (value as Form) : {};
};

export const listOf = (form: Form, name: string): readonly (string | Form)[] => {
  const value = form[name];
  return Array.isArray(value) ? value : [];
};
