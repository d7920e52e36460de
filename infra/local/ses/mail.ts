import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import MailComposer from "nodemailer/lib/mail-composer/index.js";
import { removePartialFiles, writeAtomically } from "../disk/atomic-file.ts";
import { type Disk, refusalOf } from "../disk/disk.ts";

/** A mail with its SMTP envelope. */
export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  /** RFC 5322, headers included. */
  readonly raw: Buffer;
}

export interface MailFields {
  readonly from: string;
  readonly to: readonly string[];
  readonly cc?: readonly string[];
  readonly bcc?: readonly string[];
  readonly replyTo?: readonly string[];
  readonly subject: string;
  readonly text?: string | undefined;
  readonly html?: string | undefined;
}

/** A mail could not be delivered. `isPermanent`: the server refused its receiver or its content for good. */
export class MailError extends Error {
  readonly isPermanent: boolean;
  constructor(message: string, isPermanent: boolean, options?: ErrorOptions) {
    super(message, options);
    this.isPermanent = isPermanent;
  }
}

export interface MailTransport {
  /** @throws {MailError} */
  send(mail: Mail): Promise<void>;
  close(): void;
}

export const composeMail = async (fields: MailFields): Promise<Buffer> => {
  const { cc = [], bcc = [], replyTo = [], to, text, html, ...rest } = fields;
  const composer = new MailComposer({
    ...rest,
    to: [...to],
    cc: [...cc],
    bcc: [...bcc],
    replyTo: [...replyTo],
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
  });
  return composer.compile().build();
};

/**
 * Folder with one file per message, whose names sort by time; a reader never sees half a file.
 * @returns a function that stores a message and throws `MailError` while the disk takes no data
 */
export const createOutbox = (folder: string, extension: string, disk?: Disk) => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  removePartialFiles(folder);
  let count = 0;
  return (content: string | Buffer): void => {
    count += 1;
    const time = new Date().toISOString().replace(/[:.]/g, "-");
    const name = `${time}-${String(count).padStart(6, "0")}-${randomBytes(3).toString("hex")}`;
    try {
      writeAtomically(join(folder, `${name}.${extension}`), content);
    } catch (error) {
      disk?.refused(error as Error);
      const why = refusalOf(error) ?? (error as Error).message;
      throw new MailError(`cannot write to ${folder}: ${why}`, false, { cause: error });
    }
  };
};

/** Writes mail to files instead of sending it. */
export const createMailFolder = (folder: string, disk?: Disk): MailTransport => {
  const store = createOutbox(folder, "eml", disk);
  return {
    send: async ({ from, to, raw }) => {
      // The envelope's receivers: addresses of blind copies are in no header.
      const envelope = `X-Envelope-From: ${from}\r\nX-Envelope-To: ${to.join(", ")}\r\n`;
      store(Buffer.concat([Buffer.from(envelope), raw]));
    },
    close: () => {},
  };
};

/** SMTP commands whose refusal concerns the receiver or the content; that of any other concerns the sender's settings. */
const ABOUT_THE_MAIL = new Set(["RCPT TO", "DATA"]);

/** Timeout of an unresponsive server, so that one mail does not hold a function for minutes. */
const SMTP_TIMEOUT_MS = 10_000;

/** @param url `smtp://user:password@host:587`, `smtps://…` */
export const createSmtpTransport = (url: string): MailTransport => {
  const smtp = createTransport({
    url,
    pool: true,
    maxConnections: 3,
    connectionTimeout: SMTP_TIMEOUT_MS,
    greetingTimeout: SMTP_TIMEOUT_MS,
    socketTimeout: SMTP_TIMEOUT_MS,
  });
  return {
    send: async ({ from, to, raw }) => {
      try {
        await smtp.sendMail({ envelope: { from, to: [...to] }, raw });
      } catch (error) {
        const {
          responseCode = 0,
          command = "",
          message,
        } = error as Error & { responseCode?: number; command?: string };
        throw new MailError(message, responseCode >= 500 && ABOUT_THE_MAIL.has(command), { cause: error });
      }
    },
    close: () => smtp.close(),
  };
};
