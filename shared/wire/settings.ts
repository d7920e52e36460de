/**
 * Schemas that the settings of several protocols share (TLS, STARTTLS), and the parser of settings with its cache.
 */
import { X509Certificate } from "node:crypto";
import { z } from "zod";
import type { TlsOptions } from "../contract/connection.ts";
import type { Probe } from "../contract/protocol.ts";
import { InvalidInput } from "../errors.ts";
import { inOurWords, pathText } from "../issues.ts";
import { ONE_LINE } from "../schema.ts";
import { secureContext } from "./secure-context.ts";

/** Text that is sent within a line: without control characters, because a line end in it could inject a command. */
export const oneLine = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .regex(...ONE_LINE);

const pem = z
  .string()
  .max(16_384)
  .regex(/-----BEGIN [A-Z0-9 ]+-----/, "must be PEM text");

/** Whether all PEM blocks are valid certificates. OpenSSL ignores broken ones, and targets would fail with an unknown issuer. */
function isCertificates(text: string): boolean {
  const blocks = text.match(/-----BEGIN [^-]*-----[^-]*-----END [^-]*-----/g) ?? [];
  try {
    for (const block of blocks) new X509Certificate(block);
  } catch {
    return false;
  }
  return blocks.length > 0;
}

/** `settings.tls`. */
export const tlsSettings = z
  .strictObject({
    serverName: oneLine(253).optional().describe("Name to ask for (SNI) and to verify. Default: the monitor's host."),
    alpn: z
      .array(oneLine(64))
      .min(1)
      .max(8)
      .optional()
      .describe("Protocols to offer (ALPN); the server must choose one."),
    minVersion: z.enum(["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]).optional().describe("Lowest version that is taken."),
    ca: pem
      .refine(isCertificates, "must be certificates in PEM, and nothing else")
      .optional()
      .describe("Certificates to trust in place of the public ones, in PEM."),
    certificate: pem.optional().describe("Certificate of the client, in PEM; goes with `key`."),
    key: pem.meta({ writeOnly: true }).optional().describe("Private key of the client, in PEM."),
    verify: z.boolean().optional().describe("Whether the certificate must be valid for the name."),
    warnDays: z.int().min(0).max(3650).optional().describe("Degraded when the certificate expires within these days."),
  })
  .describe("How to use TLS.")
  .superRefine(({ ca, certificate, key }, context) => {
    if ((certificate === undefined) !== (key === undefined))
      context.addIssue({
        code: "custom",
        path: [certificate === undefined ? "certificate" : "key"],
        message: "certificate and key go together",
      });
    try {
      if (ca !== undefined || certificate !== undefined) secureContext({ ca, certificate, key } as TlsOptions);
    } catch (error) {
      context.addIssue({ code: "custom", message: `not usable: ${(error as Error).message}` });
    }
  });

/** When a protocol upgrades its connection to TLS. `required`: a server that does not offer it fails as `tls-not-offered`. */
export const STARTTLS_MODES = ["off", "if-offered", "required"] as const;
export type StartTlsMode = (typeof STARTTLS_MODES)[number];

/** `settings.starttls`. */
export const starttlsSetting = z.enum(STARTTLS_MODES).describe("When the connection is upgraded to TLS.");

/** For protocols with both kinds of TLS: `tls` alone means from the first byte on, `tls` and `starttls` mean STARTTLS. */
export const eitherTls = { tls: tlsSettings.optional(), starttls: starttlsSetting.default("off") };

/** The probe's `tls` for `eitherTls`: TLS from the first byte on, unless STARTTLS is asked for. */
export const tlsAtOnce = (settings: { tls?: TlsOptions | undefined; starttls: StartTlsMode }): { tls?: TlsOptions } =>
  settings.starttls === "off" && settings.tls ? { tls: settings.tls } : {};

/** For protocols with a separate protocol for TLS from the first byte on (imap and imaps): `tls` needs `starttls`. */
export const onlyStarttls = (implicitName: string) =>
  z
    .strictObject({ tls: tlsSettings.optional(), starttls: starttlsSetting.default("off") })
    .refine(({ tls, starttls }) => tls === undefined || starttls !== "off", {
      path: ["tls"],
      message: `only with starttls "if-offered" or "required"; for TLS from the first byte on use the protocol ${implicitName}`,
    });

/**
 * Cache of parsed settings and prepared probes, keyed by the settings object and what made the value from it. Monitors
 * are kept between ticks, and parsing costs more than a plain TCP check.
 */
const cache = new WeakMap<object, { readonly by: unknown; readonly made: unknown }>();

const makeOnce = <T>(by: unknown, settings: unknown, make: (input: object) => T): T => {
  const input = (settings ?? {}) as object;
  const known = cache.get(input);
  if (known && known.by === by) return known.made as T;
  const made = make(input);
  if (typeof input === "object") cache.set(input, { by, made });
  return made;
};

/** Our messages; for an unknown setting the message lists the known ones, which only zod's raw issue leads to. */
const message = (issue: z.core.$ZodRawIssue): string | undefined => {
  if (issue.code !== "unrecognized_keys") return inOurWords(issue);
  const known = issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape) : [];
  return `there is no such setting; there ${known.length > 1 ? "are" : "is"} ${known.join(", ") || "none"}`;
};

/**
 * Parses a protocol's settings. The result is cached by the settings object, which must not be changed afterwards.
 * @throws InvalidInput naming every field that is wrong, with paths relative to `settings`
 */
export const parseSettings = <S extends z.ZodType>(schema: S, settings: unknown): z.output<S> =>
  makeOnce(schema, settings, (input) => {
    const parsed = schema.safeParse(input, { error: message });
    if (parsed.success) return parsed.data;
    throw new InvalidInput(
      parsed.error.issues.flatMap(({ path, message, ...issue }) =>
        issue.code === "unrecognized_keys"
          ? issue.keys.map((key) => ({ path: pathText([...path, key]), message }))
          : [{ path: pathText(path), message }],
      ),
    );
  });

/** Makes the `prepare` of a protocol with stateless probes: the probe is created once per settings object and reused. */
export const preparingOnce =
  <S extends z.ZodType>(schema: S, make: (settings: z.output<S>) => Probe): ((settings: unknown) => Probe) =>
  (settings) =>
    makeOnce(make, settings, (input) => make(parseSettings(schema, input)));
