import { answerXml, NAMESPACES } from "../http-server/aws-query.ts";
import type { createSns } from "./sns.ts";

export const CERTIFICATE_PATH = "/SimpleNotificationService-harborlight.pem";

/** @returns undefined when the URL is none of the pages, or its token or subscription does not exist */
export type OpenPages = (url: URL) => { readonly type: string; readonly body: string } | undefined;

/** The links that SNS puts into messages. They need no signature: the token, or the subscription's id, is the secret. */
export const createOpenPages =
  (sns: ReturnType<typeof createSns>, certificate: string): OpenPages =>
  (url) => {
    if (url.pathname === CERTIFICATE_PATH) return { type: "application/x-pem-file", body: certificate };
    const query = url.searchParams;
    const page = (action: string, result: Record<string, string>) => ({
      type: "text/xml",
      body: answerXml(action, result, NAMESPACES.sns, "open"),
    });
    switch (query.get("Action")) {
      case "ConfirmSubscription": {
        const confirmed = sns.confirm(query.get("TopicArn") ?? "", query.get("Token") ?? "");
        return confirmed ? page("ConfirmSubscription", { SubscriptionArn: confirmed.arn }) : undefined;
      }
      case "Unsubscribe":
        return sns.unsubscribe(query.get("SubscriptionArn") ?? "") ? page("Unsubscribe", {}) : undefined;
      default:
        return undefined;
    }
  };
