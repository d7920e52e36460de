import { randomUUID } from "node:crypto";
import { AwsError } from "../http-server/aws-error.ts";
import { type Form, formOf, listOf, textOf, type Xml } from "../http-server/aws-query.ts";
import type { Resource } from "../template/template.ts";
import { composeMail, type Mail, MailError, type MailTransport } from "./mail.ts";

/** SES's limit for one message, recipients together. */
const MAX_RECIPIENTS = 50;
/** `SendRawEmail` of SES v1: 10 MB after decoding. */
const MAX_RAW_BYTES = 10 * 1024 * 1024;

/** The SES settings of the account. */
export interface SesAccount {
  /** Verified senders: addresses, or domains whose every address may send. */
  readonly identities: readonly {
    readonly name: string;
    /** Default configuration set of mails from it. */
    readonly configurationSet?: string | undefined;
  }[];
  readonly configurationSets: readonly string[];
}

interface IdentityProperties {
  readonly EmailIdentity: string;
  readonly ConfigurationSetAttributes?: { readonly ConfigurationSetName?: string };
}

/** @param defaultConfigurationSet of every identity that the template gives none */
export const readSesAccount = (resources: readonly Resource[], defaultConfigurationSet?: string): SesAccount => {
  const ofType = (kind: string) => resources.filter(({ type }) => type === kind);
  return {
    identities: ofType("AWS::SES::EmailIdentity").map(({ properties }) => {
      const { EmailIdentity: name, ConfigurationSetAttributes } = properties as unknown as IdentityProperties;
      return { name, configurationSet: ConfigurationSetAttributes?.ConfigurationSetName ?? defaultConfigurationSet };
    }),
    configurationSets: [
      ...ofType("AWS::SES::ConfigurationSet").map(({ name }) => name),
      ...(defaultConfigurationSet === undefined ? [] : [defaultConfigurationSet]),
    ],
  };
};

/** The SES v1 API over a mail transport. */
export const createSes = (transport: MailTransport, { identities, configurationSets }: SesAccount) => {
  /** The identity of the address itself, otherwise that of its domain. */
  const identityOf = (address: string) => {
    const wanted = address.toLowerCase();
    const domain = wanted.slice(wanted.lastIndexOf("@") + 1);
    const isOwn = (name: string) => name.toLowerCase() === wanted;
    const isOfDomain = (name: string) => `.${domain}`.endsWith(`.${name.toLowerCase()}`);
    return (
      identities.find(({ name }) => isOwn(name)) ??
      identities.find(({ name }) => !name.includes("@") && isOfDomain(name))
    );
  };

  const checkSender = (source: string): string => {
    const address = checkAddress(source);
    if (identityOf(address)) return address;
    throw new AwsError(
      "MessageRejected",
      `Email address is not verified. The following identities failed the check in region US-EAST-1: ${source}`,
    );
  };

  const deliver = async (mail: Mail): Promise<Xml> => {
    try {
      await transport.send(mail);
    } catch (error) {
      if (!(error instanceof MailError)) throw error;
      if (error.isPermanent) throw new AwsError("MessageRejected", error.message);
      // SDK clients retry this by themselves.
      throw new AwsError("ServiceUnavailable", error.message, { status: 503 });
    }
    return { MessageId: `${randomUUID()}-000000` };
  };

  const checkConfigurationSet = (form: Form): void => {
    const name = textOf(form, "ConfigurationSetName");
    if (name === undefined || configurationSets.includes(name)) return;
    throw invalid("ConfigurationSetDoesNotExist", `Configuration set <${name}> does not exist.`);
  };

  const operations: Record<string, (form: Form) => Promise<Xml>> = {
    SendEmail: async (form) => {
      const from = checkSender(required(form, "Source"));
      checkConfigurationSet(form);
      const destination = formOf(form, "Destination");
      const [to, cc, bcc] = ["ToAddresses", "CcAddresses", "BccAddresses"].map((name) => texts(destination, name));
      const message = formOf(form, "Message");
      const body = formOf(message, "Body");
      const [text, html] = ["Text", "Html"].map((kind) => textOf(formOf(body, kind), "Data"));
      if (text === undefined && html === undefined) throw invalid("ValidationError", "Message.Body must not be empty");
      const recipients = checkRecipients([...to!, ...cc!, ...bcc!]);
      const replyTo = texts(form, "ReplyToAddresses");
      replyTo.forEach(checkAddress);
      const raw = await composeMail({
        from: required(form, "Source"),
        to: to!,
        cc: cc!,
        bcc: bcc!,
        replyTo,
        subject: textOf(formOf(message, "Subject"), "Data") ?? "",
        text,
        html,
      });
      return deliver({ from, to: recipients, raw });
    },

    SendRawEmail: async (form) => {
      const raw = Buffer.from(textOf(formOf(form, "RawMessage"), "Data") ?? "", "base64");
      if (raw.length === 0) throw invalid("ValidationError", "RawMessage.Data must not be empty");
      if (raw.length > MAX_RAW_BYTES)
        throw invalid("InvalidParameterValue", "Message length is more than 10485760 bytes long");
      const from = checkSender(textOf(form, "Source") ?? headerOf(raw, "From") ?? "");
      checkConfigurationSet(form);
      const named = texts(form, "Destinations");
      const recipients = named.length > 0 ? named : ["To", "Cc", "Bcc"].flatMap((name) => split(headerOf(raw, name)));
      return deliver({ from, to: checkRecipients(recipients), raw });
    },

    GetSendQuota: async () => ({ Max24HourSend: 50_000, MaxSendRate: 14, SentLast24Hours: 0 }),
  };

  return {
    handle: async (action: string, form: Form): Promise<Xml> => {
      const run = operations[action];
      if (run) return run(form);
      throw invalid("InvalidAction", `Could not find operation ${action} for version 2010-12-01`);
    },
    /** @returns the configuration set that a mail from this address has when it names none */
    configurationSetOf: (address: string): string | undefined => identityOf(address)?.configurationSet,
  };
};

const invalid = (code: string, message: string) => new AwsError(code, message);

const required = (form: Form, name: string): string => {
  const value = textOf(form, name);
  if (value !== undefined) return value;
  throw invalid("ValidationError", `${name} is required`);
};

const texts = (form: Form, name: string): string[] =>
  listOf(form, name).filter((value): value is string => typeof value === "string");

const checkRecipients = (addresses: readonly string[]): string[] => {
  if (addresses.length === 0) throw invalid("InvalidParameterValue", "Destination has no recipients");
  if (addresses.length > MAX_RECIPIENTS) throw invalid("InvalidParameterValue", "Recipient count exceeds 50.");
  return addresses.map(checkAddress);
};

/** SES requires ASCII before the @, and international domains in Punycode. */
const ADDRESS = /^[!-~]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*$/;

/** @returns the bare address of `Name <address>`. */
const checkAddress = (text: string): string => {
  const address = (/<([^<>]*)>\s*$/.exec(text)?.[1] ?? text).trim();
  if (!address.includes("@")) throw invalid("InvalidParameterValue", "Missing final '@domain'");
  if (!ADDRESS.test(address) || /[<>(),;:\\"\s]/.test(address))
    throw invalid("InvalidParameterValue", "Illegal address");
  return address;
};

const headerOf = (raw: Buffer, name: string): string | undefined => {
  const head = raw
    .toString("utf8")
    .split(/\r?\n\r?\n/, 1)[0]!
    .replace(/\r?\n[ \t]+/g, " ");
  return new RegExp(`^${name}:[ \\t]*(.*)$`, "im").exec(head)?.[1]?.trim();
};

const split = (header: string | undefined): string[] =>
  (header ?? "")
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
