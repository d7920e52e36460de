import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import MailComposer from "nodemailer/lib/mail-composer/index.js";

/** A mail as it goes over the wire. */
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

/** The mail cannot be delivered now. `isPermanent`: the server refused its receiver or its text for good. */
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

/** One file per mail, named so that they sort by time; a reader never sees half a file. */
export const createMailFolder = (folder: string): MailTransport => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  let count = 0;
  return {
    send: async ({ from, to, raw }) => {
      count += 1;
      const time = new Date().toISOString().replace(/[:.]/g, "-");
      const name = `${time}-${String(count).padStart(6, "0")}-${randomBytes(3).toString("hex")}`;
      // Whom it was for: a blind copy's address is in no header.
      const envelope = `X-Envelope-From: ${from}\r\nX-Envelope-To: ${to.join(", ")}\r\n`;
      const half = join(folder, `.${name}.half`);
      await writeFile(half, Buffer.concat([Buffer.from(envelope), raw]), { mode: 0o600 });
      await rename(half, join(folder, `${name}.eml`));
    },
    close: () => {},
  };
};

/** A server speaks of the receiver, or of the text, in its answers to these; all others are about us and our settings. */
const ABOUT_THE_MAIL = new Set(["RCPT TO", "DATA"]);

/** A server is given up after this long without a word, so that one mail does not hold a function for minutes. */
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
