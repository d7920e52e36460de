/** Makes the links by which the receivers of alerts acknowledge incidents. */
import { asksForSomebody, linkToken } from "../../shared/alerts/acknowledge-link.ts";
import type { Alert } from "../../shared/model.ts";
import type { LinkSecret } from "../../shared/store/link-secret.ts";

/** @returns undefined for an alert that asks for nobody */
export type LinkOf = (alert: Alert) => string | undefined;
/** @throws Error if the secret cannot be read now */
export type AcknowledgeLinksOf = (receiver: string) => Promise<LinkOf>;

export const NO_LINKS: LinkOf = () => undefined;

interface Dependencies {
  /** The page that asks; undefined: there are no links. */
  readonly url: string | undefined;
  readonly readSecret: LinkSecret;
  readonly now: () => Date;
}

export const createAcknowledgeLinks =
  ({ url, readSecret, now }: Dependencies): AcknowledgeLinksOf =>
  async (receiver) => {
    if (url === undefined) return NO_LINKS;
    const secret = await readSecret();
    return (alert) =>
      asksForSomebody(alert)
        ? `${url}?token=${linkToken({ incidentId: alert.incidentId, receiver }, secret, now())}`
        : undefined;
  };
