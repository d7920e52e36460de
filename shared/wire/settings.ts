/**
 * The pieces that the settings of several protocols have in common, and the one way in which settings are parsed.
 */
import { X509Certificate } from "node:crypto";
import { z } from "zod";
import type { TlsOptions } from "../contract/connection.ts";
import type { Probe } from "../contract/protocol.ts";
import { InvalidInput } from "../errors.ts";
import { inOurWords, pathText } from "../issues.ts";
import { secureContext } from "./secure-context.ts";

/** Text that goes into a line of a protocol: a line end in it would start a line of its own. */
export const oneLine = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .regex(/^\P{Cc}+$/u, "must be one line without control characters");

const pem = z
  .string()
  .max(16_384)
  .regex(/-----BEGIN [A-Z0-9 ]+-----/, "must be PEM text");

/** OpenSSL passes over what it cannot read; a target would then fail for its unknown issuer. */
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
    serverName: oneLine(253).optional(),
    alpn: z.array(oneLine(64)).min(1).max(8).optional(),
    minVersion: z.enum(["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]).optional(),
    ca: pem.refine(isCertificates, "must be certificates in PEM, and nothing else").optional(),
    certificate: pem.optional(),
    key: pem.meta({ writeOnly: true }).optional(),
    verify: z.boolean().optional(),
    warnDays: z.int().min(0).max(3650).optional(),
  })
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

/** When a protocol upgrades its connection. `required`: a server that does not offer it is `tls-not-offered`. */
export const STARTTLS_MODES = ["off", "if-offered", "required"] as const;
export type StartTlsMode = (typeof STARTTLS_MODES)[number];

/** `settings.starttls`. */
export const starttlsSetting = z.enum(STARTTLS_MODES);

/** For protocols that have both: TLS from the first byte on with `tls` alone, STARTTLS with both. */
export const eitherTls = { tls: tlsSettings.optional(), starttls: starttlsSetting.default("off") };

/** What `eitherTls` means for the probe: TLS at once only where no STARTTLS is asked for. */
export const tlsAtOnce = (settings: { tls?: TlsOptions | undefined; starttls: StartTlsMode }): { tls?: TlsOptions } =>
  settings.starttls === "off" && settings.tls ? { tls: settings.tls } : {};

/** For protocols whose TLS from the first byte on is another protocol of ours: `tls` needs `starttls`. */
export const onlyStarttls = (implicitName: string) =>
  z
    .strictObject({ tls: tlsSettings.optional(), starttls: starttlsSetting.default("off") })
    .refine(({ tls, starttls }) => tls === undefined || starttls !== "off", {
      path: ["tls"],
      message: `only with starttls "if-offered" or "required"; for TLS from the first byte on use the protocol ${implicitName}`,
    });

/** What was made of settings, and by whom. Monitors are remembered between ticks, and parsing costs more than a whole check in C. */
const madeBefore = new WeakMap<object, { readonly by: unknown; readonly made: unknown }>();

const makeOnce = <T>(by: unknown, settings: unknown, make: (input: object) => T): T => {
  const input = (settings ?? {}) as object;
  const before = madeBefore.get(input);
  if (before && before.by === by) return before.made as T;
  const made = make(input);
  if (typeof input === "object") madeBefore.set(input, { by, made });
  return made;
};

/**
 * The same object gives the same result without being parsed again, so it must not change in between.
 * @throws InvalidInput naming every field that is wrong, with paths relative to `settings`
 */
export const parseSettings = <S extends z.ZodType>(schema: S, settings: unknown): z.output<S> =>
  makeOnce(schema, settings, (input) => {
    const parsed = schema.safeParse(input, { error: inOurWords });
    if (parsed.success) return parsed.data;
    throw new InvalidInput(
      parsed.error.issues.flatMap(({ path, message, ...issue }) =>
        issue.code === "unrecognized_keys"
          ? issue.keys.map((key) => ({ path: pathText([...path, key]), message: "there is no such setting" }))
          : [{ path: pathText(path), message }],
      ),
    );
  });

/** `prepare` of a protocol whose probes keep nothing from one check to the next: one probe serves a monitor for good. */
export const preparingOnce =
  <S extends z.ZodType>(schema: S, make: (settings: z.output<S>) => Probe): ((settings: unknown) => Probe) =>
  (settings) =>
    makeOnce(make, settings, (input) => make(parseSettings(schema, input)));
