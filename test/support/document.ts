/**
 * Checks every answer that a test gets from the API against the OpenAPI document: an operation that has no such status,
 * header, content type or field is a fault of the product or of the document.
 */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { parse as parseYaml } from "yaml";
import { YAML } from "../../functions/api/http/yaml.ts";
import { openApiDocument } from "../../functions/api/openapi.ts";

export interface JsonSchema {
  readonly $ref?: string;
  readonly [keyword: string]: unknown;
}
export interface Media {
  readonly schema: JsonSchema;
  readonly example?: unknown;
}
export interface Response {
  readonly $ref?: string;
  readonly description: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<Record<string, Media>>;
}
export interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly required?: boolean;
  readonly example?: unknown;
  readonly schema: JsonSchema & { readonly examples?: readonly unknown[] };
}
export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, Response>>;
}
export interface Document {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly responses: Readonly<Record<string, Response>>;
    readonly headers: Readonly<Record<string, unknown>>;
  };
}

export const document: Document = JSON.parse(JSON.stringify(openApiDocument("test")));

/** All operations, with where they are. */
export const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
);

/** The same document for answers: an object has no fields but those that are named. */
const strict: Document = JSON.parse(JSON.stringify(document), (_key, value) =>
  value?.properties && value.additionalProperties === undefined ? { ...value, additionalProperties: false } : value,
);

const ajvOf = (root: Document) => {
  const ajv = new Ajv2020({ strict: false, allErrors: true, inlineRefs: false, code: { optimize: false } });
  addFormats.default(ajv);
  ajv.addSchema({ $id: "document", ...root });
  return ajv;
};
/** Made when they are needed first, because most test files need one of them. */
const ajvs: { document?: Ajv2020; strict?: Ajv2020 } = {};
const roots = { document, strict };
const compiled = new Map<string, ValidateFunction>();

const escaped = (part: string) => part.replaceAll("~", "~0").replaceAll("/", "~1");
/** Reference to a part of the document. */
export const refTo = (...parts: readonly string[]) => `document#/${parts.map(escaped).join("/")}`;

/** @returns what is wrong with a value, or undefined @param use `strict`: unknown fields are wrong */
export const errorsOf = (ref: string, value: unknown, use: keyof typeof roots = "document"): string | undefined => {
  const key = `${use} ${ref}`;
  ajvs[use] ??= ajvOf(roots[use]);
  const ajv = ajvs[use];
  const validate = compiled.get(key) ?? ajv.compile({ $ref: ref.replaceAll("{", "%7B").replaceAll("}", "%7D") });
  compiled.set(key, validate);
  return validate(value) ? undefined : ajv.errorsText(validate.errors, { separator: "\n", dataVar: "" });
};

/** Headers of every HTTP answer, which documents do not list. */
const PLUMBING: ReadonlySet<string> = new Set([
  "apigw-requestid",
  "connection",
  "content-length",
  "content-type",
  "date",
  "keep-alive",
  "transfer-encoding",
  "x-content-type-options",
]);

const templates = Object.keys(document.paths)
  // A literal path counts before one with a parameter.
  .toSorted((a, b) => a.split("{").length - b.split("{").length)
  .map((path) => ({
    path,
    pattern: new RegExp(`^${path.replaceAll(".", "\\.").replace(/\{[^/]+\}/g, "[^/]+")}/?$`),
  }));

export interface Answered {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed if it is JSON or YAML. */
  readonly body: unknown;
}

/** Where a response is described: the reference of an operation's, or the shared one it stands for. */
const responseRef = (
  path: string,
  method: string,
  status: string,
): { ref: string[]; response: Response } | undefined => {
  const response = document.paths[path]?.[method]?.responses[status];
  if (!response?.$ref) return response && { ref: ["paths", path, method, "responses", status], response };
  const name = response.$ref.slice(response.$ref.lastIndexOf("/") + 1);
  const shared = document.components.responses[name];
  return shared && { ref: ["components", "responses", name], response: shared };
};

/** Fails unless the OpenAPI document describes an answer. @throws Error saying what of it is not in the document */
export const checkAnswer = ({ method, path, status, headers, body }: Answered): void => {
  const template = templates.find(({ pattern }) => pattern.test(path));
  if (!template) return;
  const name = method === "HEAD" ? "get" : method.toLowerCase();
  const operation = document.paths[template.path]?.[name];
  const fault = (what: string) =>
    new Error(`${method} ${path} answered ${status}, and the OpenAPI document says otherwise: ${what}`);
  const [another = ""] = Object.keys(document.paths[template.path] ?? {});
  const found = operation
    ? responseRef(template.path, name, String(status))
    : responseRef(template.path, another, "default");
  if (!found) throw fault(`${operation?.operationId} has no such status`);
  const { ref, response } = found;
  const known = new Set(Object.keys(response.headers ?? {}).map((header) => header.toLowerCase()));
  const unknown = Object.keys(headers).filter((header) => !PLUMBING.has(header) && !known.has(header));
  if (unknown.length > 0) throw fault(`there is no header ${unknown.join(", ")}`);
  if (body === undefined || body === "" || method === "HEAD") return;
  const type = headers["content-type"]?.split(";")[0]?.trim() ?? "";
  if (!response.content?.[type]) throw fault(`there is no content of type ${type}`);
  const content = type === YAML ? parseYaml(String(body)) : body;
  const errors = errorsOf(refTo(...ref, "content", type, "schema"), content, "strict");
  if (errors) throw fault(`${errors}\n${JSON.stringify(body).slice(0, 1_000)}`);
};
