import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Named, typeRules } from "./template-types.ts";

export const ACCOUNT = "000000000000";
export const REGION = "us-east-1";

/** A resource of the template with everything resolved: no `Ref`, no `Fn::`. */
export interface Resource {
  readonly logicalId: string;
  readonly stack: string;
  /** For example `AWS::SQS::Queue`. */
  readonly type: string;
  /** Physical name: the template's, or `<stack>-<logical id>` where it has none. */
  readonly name: string;
  /** What `Ref` answers: a name, an ARN or a URL, by type. Undefined for types that are not known here. */
  readonly ref: string | undefined;
  readonly arn: string | undefined;
  readonly properties: Readonly<Record<string, unknown>>;
  /** For a Lambda function: the folder in the cloud assembly with its code. */
  readonly assetFolder?: string;
}

export interface Place {
  /** Base of queue URLs, without a slash at the end: `http://127.0.0.1:4001`. */
  readonly gatewayUrl: string;
  /** What the HTTP API's `ApiEndpoint` answers. Default `gatewayUrl`. */
  readonly apiUrl?: string;
}

interface Definition {
  readonly Type: string;
  readonly Condition?: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

interface Template {
  readonly Resources?: Readonly<Record<string, Definition>>;
  readonly Parameters?: Readonly<Record<string, { Type: string; Default?: unknown }>>;
  readonly Mappings?: unknown;
  readonly Outputs?: Readonly<Record<string, { Value: unknown; Export?: { Name: unknown } }>>;
}

interface Stack {
  readonly name: string;
  readonly template: Template;
  /** Folder of each asset by the object key that functions name. */
  readonly assets: ReadonlyMap<string, string>;
}

/** CDK's usage statistics, not a resource. */
const IGNORED_TYPES = ["AWS::CDK::Metadata"];

/**
 * Loads every stack of a cloud assembly (`cdk.out`).
 * @throws when a template uses an intrinsic function, type or attribute that is not known here, or refers to nothing.
 */
export function loadTemplate(assemblyFolder: string, place: Place): Resource[] {
  const stacks = loadStacks(assemblyFolder);
  const resolver = new Resolver(stacks, place);
  return stacks.flatMap((stack) =>
    Object.entries(stack.template.Resources ?? {})
      .filter(([, { Type }]) => !IGNORED_TYPES.includes(Type))
      .map(([logicalId, definition]) => resolver.resource(stack, logicalId, definition)),
  );
}

/** The outputs of every stack by their names, as `cdk deploy --outputs-file` writes them. */
export function loadOutputs(assemblyFolder: string, place: Place): Record<string, Record<string, string>> {
  const stacks = loadStacks(assemblyFolder);
  const resolver = new Resolver(stacks, place);
  return Object.fromEntries(stacks.map((stack) => [stack.name, resolver.outputs(stack)]));
}

interface Manifest {
  readonly artifacts?: Record<string, { type: string; properties?: Record<string, string> }>;
}

const json = (file: string) => JSON.parse(readFileSync(file, "utf8"));

function loadStacks(folder: string): Stack[] {
  const { artifacts = {} } = json(join(folder, "manifest.json")) as Manifest;
  return Object.entries(artifacts).flatMap(([id, { type, properties = {} }]) => {
    if (type === "cdk:cloud-assembly") return loadStacks(join(folder, properties.directoryName!));
    if (type !== "aws:cloudformation:stack") return [];
    const template = json(join(folder, properties.templateFile!)) as Template;
    return [{ name: properties.stackName ?? id, template, assets: loadAssets(folder, artifacts[`${id}.assets`]) }];
  });
}

function loadAssets(folder: string, artifact: { properties?: Record<string, string> } | undefined) {
  const assets = new Map<string, string>();
  if (!artifact?.properties?.file) return assets;
  const { files = {} } = json(join(folder, artifact.properties.file)) as {
    files?: Record<string, { source: { path: string }; destinations: Record<string, { objectKey: string }> }>;
  };
  for (const { source, destinations } of Object.values(files)) {
    for (const { objectKey } of Object.values(destinations)) assets.set(objectKey, resolve(folder, source.path));
  }
  return assets;
}

class Resolver {
  readonly #stacks: readonly Stack[];
  readonly #place: Omit<Named, "name">;
  /** Resources whose name is being resolved, to notice a name that depends on itself. */
  readonly #naming = new Set<string>();

  constructor(stacks: readonly Stack[], { gatewayUrl, apiUrl = gatewayUrl }: Place) {
    this.#stacks = stacks;
    this.#place = { gatewayUrl, apiUrl, account: ACCOUNT, region: REGION, place: `${REGION}:${ACCOUNT}` };
  }

  resource(stack: Stack, logicalId: string, definition: Definition): Resource {
    const where = `${stack.name}/${logicalId}`;
    if (definition.Condition) throw new Error(`${where} has the condition ${definition.Condition}: not supported here`);
    const properties = this.#resolve(stack, definition.Properties ?? {}, where) as Record<string, unknown>;
    const rules = typeRules(definition.Type);
    const named = this.#named(stack, logicalId, definition);
    const code = properties.Code as { S3Key?: string } | undefined;
    const assetFolder = code?.S3Key === undefined ? undefined : stack.assets.get(code.S3Key);
    if (code?.S3Key !== undefined && !assetFolder) throw new Error(`${where}: no asset has the key ${code.S3Key}`);
    return {
      logicalId,
      stack: stack.name,
      type: definition.Type,
      name: named.name,
      ref: rules?.ref(named),
      arn: rules?.attributes.Arn?.(named) ?? rules?.attributes.TopicArn?.(named),
      properties,
      ...(assetFolder ? { assetFolder } : {}),
    };
  }

  outputs(stack: Stack): Record<string, string> {
    const outputs = Object.entries(stack.template.Outputs ?? {});
    return Object.fromEntries(
      outputs.map(([name, { Value }]) => [name, String(this.#resolve(stack, Value, `${stack.name}/${name}`))]),
    );
  }

  #named(stack: Stack, logicalId: string, definition: Definition): Named {
    const property = typeRules(definition.Type)?.nameProperty;
    const given = property === undefined ? undefined : definition.Properties?.[property];
    const where = `${stack.name}/${logicalId}`;
    if (given === undefined) return { ...this.#place, name: derivedName(stack.name, logicalId) };
    if (this.#naming.has(where)) throw new Error(`the name of ${where} depends on itself`);
    this.#naming.add(where);
    const name = String(this.#resolve(stack, given, where));
    this.#naming.delete(where);
    return { ...this.#place, name };
  }

  #resolve(stack: Stack, value: unknown, where: string): unknown {
    if (Array.isArray(value)) {
      return value.map((one) => this.#resolve(stack, one, where)).filter((one) => one !== NO_VALUE);
    }
    if (value === null || typeof value !== "object") return value;
    const entries = Object.entries(value);
    const [first] = entries;
    if (entries.length === 1 && first && (first[0] === "Ref" || first[0].startsWith("Fn::"))) {
      return this.#intrinsic(stack, first[0], first[1], where);
    }
    return Object.fromEntries(
      entries.map(([key, one]) => [key, this.#resolve(stack, one, where)]).filter(([, one]) => one !== NO_VALUE),
    );
  }

  #intrinsic(stack: Stack, name: string, argument: unknown, where: string): unknown {
    const list = () => this.#resolve(stack, argument, where) as [unknown, unknown];
    switch (name) {
      case "Ref":
        return this.#ref(stack, String(argument), where);
      case "Fn::GetAtt": {
        const [logicalId, attribute] = typeof argument === "string" ? halves(argument, ".") : (argument as string[]);
        return this.#attribute(stack, logicalId!, attribute!, where);
      }
      case "Fn::Join": {
        const [separator, parts] = list();
        return this.#local((parts as unknown[]).join(String(separator)));
      }
      case "Fn::Split": {
        const [separator, text] = list();
        return String(text).split(String(separator));
      }
      case "Fn::Select": {
        const [index, choices] = list();
        const choice = (choices as unknown[])[Number(index)];
        if (choice === undefined) throw new Error(`${where}: Fn::Select of ${String(index)} picks nothing`);
        return choice;
      }
      case "Fn::Sub":
        return this.#substitute(stack, argument, where);
      case "Fn::ImportValue":
        return this.#import(String(this.#resolve(stack, argument, where)), where);
      default:
        throw new Error(`${where} uses ${name}, which is not known here`);
    }
  }

  #ref(stack: Stack, target: string, where: string): unknown {
    const pseudo = PSEUDO[target];
    if (pseudo !== undefined) return pseudo;
    if (target === "AWS::StackName") return stack.name;
    if (target === "AWS::StackId") return `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/${stack.name}/local`;
    const parameter = stack.template.Parameters?.[target];
    if (parameter) {
      if (parameter.Default !== undefined) return parameter.Default;
      throw new Error(`${where} refers to the parameter ${target}, which has no default`);
    }
    const definition = stack.template.Resources?.[target];
    if (!definition) throw new Error(`${where} refers to ${target}, which does not exist in stack ${stack.name}`);
    const rules = typeRules(definition.Type);
    if (!rules) throw new Error(`${where}: what Ref answers for ${definition.Type} (${target}) is not known here`);
    return rules.ref(this.#named(stack, target, definition));
  }

  #attribute(stack: Stack, logicalId: string, attribute: string, where: string): unknown {
    const definition = stack.template.Resources?.[logicalId];
    if (!definition) throw new Error(`${where} refers to ${logicalId}, which does not exist in stack ${stack.name}`);
    const rule = typeRules(definition.Type)?.attributes[attribute];
    if (!rule) throw new Error(`${where}: ${attribute} of ${definition.Type} (${logicalId}) is not known here`);
    return rule(this.#named(stack, logicalId, definition));
  }

  /** Points SQS queue URLs, which the template builds from names for queues of other stacks, to the gateway. */
  #local(text: string): string {
    return text.replaceAll(`https://sqs.${REGION}.amazonaws.com/`, `${this.#place.gatewayUrl}/`);
  }

  /** `${Name}` is a Ref, `${Name.Attribute}` a GetAtt, `${!Literal}` stays as `${Literal}`. */
  #substitute(stack: Stack, argument: unknown, where: string): string {
    const [text, variables] = (Array.isArray(argument) ? argument : [argument, {}]) as [
      string,
      Record<string, unknown>,
    ];
    const resolved = text.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal) return `\${${name}}`;
      if (name in variables) return String(this.#resolve(stack, variables[name], where));
      const [logicalId, attribute] = halves(name, ".");
      if (attribute) return String(this.#attribute(stack, logicalId!, attribute, where));
      return String(this.#ref(stack, name, where));
    });
    return this.#local(resolved);
  }

  #import(name: string, where: string): unknown {
    for (const stack of this.#stacks) {
      for (const { Value, Export } of Object.values(stack.template.Outputs ?? {})) {
        if (Export && this.#resolve(stack, Export.Name, stack.name) === name)
          return this.#resolve(stack, Value, stack.name);
      }
    }
    throw new Error(`${where} imports ${name}, which no stack exports`);
  }
}

/** A property with this value counts as absent. */
const NO_VALUE = Symbol("AWS::NoValue");

const PSEUDO: Readonly<Record<string, unknown>> = {
  "AWS::AccountId": ACCOUNT,
  "AWS::NoValue": NO_VALUE,
  "AWS::Partition": "aws",
  "AWS::Region": REGION,
  "AWS::URLSuffix": "amazonaws.com",
};

const halves = (text: string, separator: string): string[] => {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
};

/** Longest name that a function, role or schedule may have. */
const MAX_NAME = 64;

function derivedName(stack: string, logicalId: string): string {
  const name = `${stack}-${logicalId}`;
  if (name.length <= MAX_NAME) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return `${name.slice(0, MAX_NAME - 9)}-${hash}`;
}
