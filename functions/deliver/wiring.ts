/**
 * Assembles deliver. Everything outside it (table, queues, receivers, clock) is passed in, so that a simulation can
 * replace it.
 */
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { Outside } from "../../shared/alerts/channels/channel.ts";
import { parseReceiver } from "../../shared/receiver.ts";
import { createChannelStore } from "../../shared/store/channels.ts";
import { createDecisionStore } from "../../shared/store/decisions.ts";
import { createTimerQueue, type JobQueues } from "../../shared/store/jobs.ts";
import { createLinkSecret } from "../../shared/store/link-secret.ts";
import { createMailboxStore } from "../../shared/store/mailbox.ts";
import { createStatusPageStore } from "../../shared/store/status-pages.ts";
import { createAcknowledgeLinks } from "./acknowledge-link.ts";
import { createLosses } from "./losses.ts";
import { createPageRecipients, isPublicReceiver } from "./page-recipients.ts";
import { createPass, type PassReport } from "./pass.ts";
import { createRound } from "./round.ts";
import { createFindRecipient } from "./send.ts";
import { createFindTarget } from "./targets.ts";

export interface DeliverOutside {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  /** Names of all locations. */
  readonly locations: readonly string[];
  readonly queues: JobQueues;
  /** Services that channels send through. */
  readonly receivers: Outside;
  /** Where people read all incidents; null if nowhere. */
  readonly url: string | null;
  /** The page on which people acknowledge. Default: messages have no link to it. */
  readonly acknowledgeUrl?: string;
  /** Where status pages are, such as `https://status.example.com`. Default: their subscribers are told nothing. */
  readonly origin?: string;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly newId: () => string;
  /** A random number from 0 to 1. */
  readonly random: () => number;
  readonly log: (level: "info" | "warn" | "error", message: string, details: object) => void;
  /** Waiting mail that is read at once; fewer in tests. */
  readonly waitingAtOnce?: number;
  /** Called after each pass. */
  readonly delivered: (report: PassReport) => void;
}

/** Delivers the mail of several receivers at the same time. @returns the receivers for which it failed */
export function createDelivery(outside: DeliverOutside) {
  const {
    client,
    table,
    locations,
    queues,
    receivers,
    url,
    now,
    sleep,
    newId,
    random,
    log,
    delivered,
    acknowledgeUrl,
    origin,
  } = outside;
  const mailbox = createMailboxStore(client, table, outside.waitingAtOnce);
  const losses = createLosses({ mailbox, decisions: createDecisionStore(client, table), now, log });
  const channels = createChannelStore(client, table);
  const findPageRecipient = createPageRecipients({
    pages: createStatusPageStore(client, table),
    mailbox,
    outside: receivers,
    origin,
    now,
  });
  const findAlertRecipient = createFindRecipient({
    findTarget: createFindTarget(channels, now),
    settleOwed: (receiver, incidentId) => channels.settleOwed(parseReceiver(receiver).target ?? "", incidentId, now()),
    outside: receivers,
    url,
    linksOf: createAcknowledgeLinks({ url: acknowledgeUrl, readSecret: createLinkSecret(client, table), now }),
    now,
  });
  const findRecipient = async (receiver: string) => findPageRecipient(receiver) ?? findAlertRecipient(receiver);
  const round = createRound({ mailbox, findRecipient, losses, now, sleep, random, log });
  const queueTimers = createTimerQueue({ queues, locations, now, log });
  const pass = createPass({ mailbox, queueTimers, round, now, sleep, newId });

  return async (names: Iterable<string>): Promise<string[]> => {
    const failed: string[] = [];
    const work = async (receiver: string) => {
      try {
        const report = await pass(receiver);
        if (!isPublicReceiver(receiver)) delivered(report);
      } catch (error) {
        failed.push(receiver);
        log("error", "mail could not be delivered", { receiver, error });
      }
    };
    await Promise.all([...new Set(names)].map(work));
    return failed;
  };
}
