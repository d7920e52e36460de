import { answerXml } from "../http-server/aws-query.ts";
import type { createSns } from "./sns.ts";

export const CERTIFICATE_PATH = "/SimpleNotificationService-harborlight.pem";
const NAMESPACE = "http://sns.amazonaws.com/doc/2010-03-31/";

/** @returns undefined for what is none of the pages, or asks for nothing that there is */
export type OpenPages = (url: URL) => { readonly type: string; readonly body: string } | undefined;

/** Links that SNS puts in messages. They need no signature: the token, or the subscription's id, is the secret. */
export const createOpenPages =
  (sns: ReturnType<typeof createSns>, certificate: string): OpenPages =>
  (url) => {
    if (url.pathname === CERTIFICATE_PATH) return { type: "application/x-pem-file", body: certificate };
    const query = url.searchParams;
    const page = (action: string, result: Record<string, string>) => ({
      type: "text/xml",
      body: answerXml(action, result, NAMESPACE, "open"),
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
