import { randomUUID } from "node:crypto";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { crc32 } from "node:zlib";
import { type Disk, insufficientStorage, refusalOf } from "../disk/disk.ts";
import type { Answer } from "../dynamodb/database.ts";
import type { Decision, Permission } from "../iam/iam.ts";
import { denial, type Input, requiredPermissions, type Service } from "../iam/request.ts";
import type { OpenPages } from "../sns/open-pages.ts";
import { AwsError } from "./aws-error.ts";
import { answerXml, errorXml, type Form, NAMESPACES, parseForm, textOf, type Xml } from "./aws-query.ts";
import { readBody } from "./request-body.ts";

/** The owner of an access key. */
export interface Caller {
  /** The function's name, or `admin` for the owner of the machine. */
  readonly name: string;
  /** ARN of the role whose policies apply; undefined for the owner, who may do everything. */
  readonly role: string | undefined;
}

export interface LambdaAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string;
}

/** The services behind the gateway; each throws `AwsError` for requests that AWS would refuse. */
export interface Services {
  readonly callerOf: (accessKeyId: string) => Caller | undefined;
  readonly authorise: (role: string, permission: Permission) => Decision;
  readonly dynamodb: (target: string, body: unknown, caller: string) => Promise<Answer>;
  readonly sqs: (operation: string, input: Record<string, unknown>, caller: string) => Promise<Record<string, unknown>>;
  readonly sns: (action: string, form: Form) => Promise<Xml>;
  readonly ses: {
    readonly handle: (action: string, form: Form) => Promise<Xml>;
    readonly configurationSetOf: (address: string) => string | undefined;
  };
  readonly lambda: (functionName: string, payload: string, invocationType: string) => Promise<LambdaAnswer>;
  /** Pages that need no signature: links in confirmation messages, the signing certificate. */
  readonly open: OpenPages;
  readonly disk?: Disk | undefined;
}

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** More than any of the services takes in one request: DynamoDB's batch of 25 items of 400 KB. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
const LAMBDA_PATH = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;

/**
 * Endpoint of all AWS services that the functions use, on one loopback port, in each service's wire protocol. The access key
 * id in the signature's `Credential` identifies the caller. Keys are random and stay on this machine, so that knowing one
 * is proof enough, and the signature is not checked. Every call is authorised by the policies of the caller's role.
 */
export const createGateway = (services: Services): RequestListener => {
  const authorise = (service: Service, operation: string, input: Input, caller: Caller): void => {
    if (caller.role === undefined) return;
    for (const permission of requiredPermissions(service, operation, input, services.ses.configurationSetOf)) {
      const decision = services.authorise(caller.role, permission);
      if (decision !== "allowed") throw denial(service, caller.role, caller.name, permission, decision);
    }
  };

  const json = async (target: string, text: string, caller: Caller): Promise<Reply> => {
    const [prefix = "", operation = ""] = target.split(".");
    const input = parseJson(text);
    if (prefix.startsWith("DynamoDB")) {
      authorise("dynamodb", operation, input, caller);
      const { status, body } = await services.dynamodb(target, input, caller.name);
      return jsonReply(status, body, true);
    }
    if (prefix !== "AmazonSQS") throw new AwsError("UnknownOperationException", `no service here has ${target}`);
    authorise("sqs", operation, input, caller);
    return jsonReply(200, await services.sqs(operation, input, caller.name));
  };

  const query = async (service: "sns" | "ses", text: string, caller: Caller, requestId: string): Promise<Reply> => {
    const form = parseForm(text);
    const action = textOf(form, "Action") ?? "";
    authorise(service, action, Object.fromEntries(new URLSearchParams(text)), caller);
    return xmlReply(
      200,
      answerXml(
        action,
        await (service === "sns" ? services.sns(action, form) : services.ses.handle(action, form)),
        NAMESPACES[service],
        requestId,
      ),
    );
  };

  const lambda = async (name: string, request: IncomingMessage, text: string, caller: Caller): Promise<Reply> => {
    authorise("lambda", "Invoke", { FunctionName: name }, caller);
    const invocationType = String(request.headers["x-amz-invocation-type"] ?? "RequestResponse");
    const { status, headers, payload } = await services.lambda(name, text, invocationType);
    return { status, headers: { "content-type": "application/json", ...headers }, body: payload };
  };

  const answer = async (request: IncomingMessage, requestId: string): Promise<Reply> => {
    const url = new URL(request.url ?? "/", "http://gateway");
    const body = await readBody(request, MAX_BODY_BYTES);
    const wire = wireOf(request, url);
    try {
      const page = request.method === "GET" ? services.open(url) : undefined;
      if (page) return { status: 200, headers: { "content-type": page.type }, body: page.body };
      if (body === undefined) throw new AwsError("RequestEntityTooLarge", "the request is too large", { status: 413 });
      const caller = callerOf(request, services);
      const text = body.toString("utf8");
      if (wire === "json") return await json(String(request.headers["x-amz-target"]), text, caller);
      if (wire === "sns" || wire === "ses") return await query(wire, text, caller, requestId);
      const name = LAMBDA_PATH.exec(url.pathname)?.[1];
      if (name !== undefined && request.method === "POST") {
        return await lambda(decodeURIComponent(name), request, text, caller);
      }
      throw new AwsError("ResourceNotFoundException", `nothing answers ${request.method} ${url.pathname} here`, {
        status: 404,
      });
    } catch (error) {
      if (error instanceof AwsError) return refusal(wire, error, requestId);
      if (refusalOf(error) === undefined) throw error;
      services.disk?.refused(error as Error);
      return refusal(wire, insufficientStorage(error as Error), requestId);
    }
  };

  return (request, response) => {
    const requestId = randomUUID();
    answer(request, requestId).then(
      (reply) => send(response, reply, requestId),
      (error: Error) => {
        if (request.errored || request.destroyed) return response.destroy();
        process.stderr.write(`gateway: ${error.stack}\n`);
        send(response, jsonReply(500, { __type: "InternalFailure", message: error.message }), requestId);
      },
    );
  };
};

type Wire = "json" | "sns" | "ses" | "rest";

const CREDENTIAL = /Credential=([^/,\s]+)\/[^/]*\/[^/]*\/([^/]*)\//;

const wireOf = (request: IncomingMessage, url: URL): Wire => {
  if (request.headers["x-amz-target"] !== undefined) return "json";
  const service = CREDENTIAL.exec(request.headers.authorization ?? "")?.[2];
  if (service === "sns" && url.pathname === "/") return "sns";
  return (service === "ses" || service === "email") && url.pathname === "/" ? "ses" : "rest";
};

const callerOf = (request: IncomingMessage, services: Services): Caller => {
  const accessKeyId = CREDENTIAL.exec(request.headers.authorization ?? "")?.[1];
  if (accessKeyId === undefined) {
    throw new AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", { status: 403 });
  }
  const caller = services.callerOf(accessKeyId);
  if (caller) return caller;
  throw new AwsError("UnrecognizedClientException", "The security token included in the request is invalid.", {
    status: 403,
  });
};

const parseJson = (text: string): Record<string, unknown> => {
  try {
    return JSON.parse(text === "" ? "{}" : text);
  } catch {
    throw new AwsError("SerializationException", "the body is not JSON");
  }
};

const refusal = (wire: Wire, error: AwsError, requestId: string): Reply => {
  if (wire === "sns" || wire === "ses") {
    return xmlReply(error.status, errorXml(error.code, error.message, error.status, NAMESPACES[wire], requestId));
  }
  const body = { __type: error.code, message: error.message, ...error.fields };
  const reply = jsonReply(error.status, wire === "rest" ? { Type: "User", Message: error.message, ...body } : body);
  const name = error.code.slice(error.code.lastIndexOf("#") + 1);
  return {
    ...reply,
    headers: {
      ...reply.headers,
      "x-amzn-errortype": name,
      "x-amzn-query-error": `${error.queryCode};${error.status < 500 ? "Sender" : "Receiver"}`,
    },
  };
};

/** DynamoDB's clients check the CRC-32 of the body when there is one. */
const jsonReply = (status: number, value: unknown, withChecksum = false): Reply => {
  const body = JSON.stringify(value) ?? "";
  const headers = { "content-type": "application/x-amz-json-1.0" };
  return { status, body, headers: withChecksum ? { ...headers, "x-amz-crc32": String(crc32(body)) } : headers };
};

const xmlReply = (status: number, body: string): Reply => ({ status, body, headers: { "content-type": "text/xml" } });

const send = (response: ServerResponse, { status, headers, body }: Reply, requestId: string): void => {
  response.writeHead(status, { ...headers, "x-amzn-requestid": requestId, "content-length": Buffer.byteLength(body) });
  response.end(body);
};
