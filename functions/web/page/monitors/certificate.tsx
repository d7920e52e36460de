/** The certificates that a monitor's service shows: for whom, by whom, until when, and whether they are trusted. */
import { now } from "../live.ts";
import type { Monitor } from "../model.ts";
import { listed, onDate, plural } from "../words.ts";

const DAY_MS = 86_400_000;
const SOON_DAYS = 14;

/** What a check tells of TLS; parts are missing where the handshake failed. */
interface Certificate {
  readonly subject: string;
  readonly issuer: string;
  readonly names: string;
  readonly validTo: string;
  readonly key: string;
  readonly sha256: string;
  readonly problems?: readonly string[];
  readonly version?: string;
}

const PROBLEMS: Readonly<Record<string, string>> = {
  "certificate-expired": "it has expired",
  "certificate-not-yet-valid": "it is not valid yet",
  "certificate-wrong-host": "it is for another name",
  "certificate-self-signed": "it is signed by itself",
  "certificate-unknown-issuer": "its issuer is not known",
  "certificate-weak": "its key or signature is weak",
};

const hasCertificate = (tls: unknown): tls is Certificate => typeof tls === "object" && tls !== null && "sha256" in tls;

/** Each certificate with the locations that saw it: servers behind one name may have several. */
const certificatesOf = ({ views }: Pick<Monitor, "views">) => {
  const seen = Object.entries(views).flatMap(([location, { evidence }]) =>
    hasCertificate(evidence.tls) ? [{ location, certificate: evidence.tls }] : [],
  );
  return [...Map.groupBy(seen, ({ certificate }) => certificate.sha256).values()].map((same) => ({
    certificate: same[0]!.certificate,
    locations: same.map(({ location }) => location),
  }));
};

const Until = ({ at }: { readonly at: string }) => {
  const ms = Date.parse(at);
  if (Number.isNaN(ms)) return <>an invalid date</>;
  const days = Math.floor((ms - now.value) / DAY_MS);
  const kind = days < 0 ? "is-down" : days < SOON_DAYS ? "is-degraded" : "";
  return (
    <>
      {onDate(ms)}, <strong class={kind}>{days < 0 ? "expired" : `${plural(days, "day")} left`}</strong>
    </>
  );
};

const Trust = ({ problems = [] }: Pick<Certificate, "problems">) =>
  problems.length === 0 ? (
    <>by an issuer that is known</>
  ) : (
    <strong class="is-down">no: {listed(problems.map((reason) => PROBLEMS[reason] ?? reason))}</strong>
  );

export const Certificates = ({ monitor }: { readonly monitor: Monitor }) => {
  const found = certificatesOf(monitor);
  if (found.length === 0) return null;
  return (
    <section aria-labelledby="certificate">
      <h2 id="certificate">{plural(found.length, "certificate").replace(/^1 c/, "C")}</h2>
      {found.map(({ certificate: { subject, issuer, names, validTo, key, sha256, problems, version }, locations }) => (
        <dl key={sha256} class="facts">
          <dt>For</dt>
          <dd dir="auto">{subject}</dd>
          <dt>Names</dt>
          <dd dir="auto">{names}</dd>
          <dt>Issuer</dt>
          <dd dir="auto">{issuer}</dd>
          <dt>Valid until</dt>
          <dd>
            <Until at={validTo} />
          </dd>
          <dt>Trusted</dt>
          <dd>
            <Trust {...(problems && { problems })} />
          </dd>
          <dt>Key</dt>
          <dd>
            {key}
            {version && `, ${version}`}
          </dd>
          {found.length > 1 && (
            <>
              <dt>Seen from</dt>
              <dd>{listed(locations)}</dd>
            </>
          )}
        </dl>
      ))}
    </section>
  );
};
