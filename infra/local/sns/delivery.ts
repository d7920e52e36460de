import { randomBytes } from "node:crypto";
import type { Disk } from "../disk/disk.ts";
import { DurableMap } from "../disk/durable-map.ts";
import { steadyNow } from "../scheduler/clock.ts";
import { composeMail, createOutbox, MailError, type MailTransport } from "../ses/mail.ts";
import { DueHeap } from "../sqs/due-heap.ts";
import type { Queue } from "../sqs/queue.ts";
import { type Post, type PostEnd, post } from "./http.ts";
import {
  confirmationEnvelope,
  confirmationText,
  type Notification,
  notificationEnvelope,
  type Signer,
} from "./message.ts";
import { retryDelay, retryPolicy } from "./retries.ts";
import { deadLetterArn, isRaw, type Subscription } from "./subscription.ts";

/** One message on its way to one subscription; a confirmation carries no notification. */
interface Delivery {
  readonly id: string;
  readonly subscriptionArn: string;
  readonly notification: Notification;
  readonly isConfirmation: boolean;
  readonly attempts: number;
}

/** Concurrent deliveries, beyond one of each subscription: more would only compete with the checks. */
const MAXIMUM_CONCURRENCY = 20;
/** Concurrent deliveries of one subscription, so that an endpoint that times out after 15 s leaves room for others. */
const MAXIMUM_PER_SUBSCRIPTION = 4;

/** Deliveries of one subscription: how many are under way, and those that are due and wait, oldest first. */
interface Line {
  running: number;
  readonly waiting: string[];
}

export interface DeliveryOptions {
  readonly file: string;
  readonly smsFolder: string;
  readonly mail: MailTransport;
  readonly mailSender: string;
  readonly signer: Signer;
  /** URL at which receivers reach the links in messages; without a slash at the end. */
  readonly publicUrl: string;
  readonly subscription: (arn: string) => Subscription | undefined;
  readonly queueByArn: (arn: string) => Queue | undefined;
  readonly invokeLater: (functionArn: string, payload: string) => boolean;
  readonly disk?: Disk | undefined;
  readonly log: (line: string) => void;
}

/** Delivers messages to subscriptions with retries. Messages are on disk until they are delivered or given up. */
export class Deliveries {
  readonly #options: DeliveryOptions;
  readonly #pending: DurableMap<Delivery>;
  readonly #due = new DueHeap();
  readonly #running = new Set<Promise<void>>();
  /** By the subscription's ARN; only subscriptions that have something due. */
  readonly #lines = new Map<string, Line>();
  readonly #storeSms: (text: string) => void;
  readonly #stopped = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#storeSms = createOutbox(options.smsFolder, "txt", options.disk);
    this.#pending = new DurableMap(options.file, options);
  }

  /** Delivers what an earlier process left, at once. */
  start(): void {
    for (const { id } of this.#pending.values()) this.#due.push(steadyNow(), id);
    this.#work();
  }

  /** Stores the message on disk before it returns, and delivers it later. */
  add(subscription: Subscription, notification: Notification, isConfirmation = false): void {
    const id = randomBytes(10).toString("hex");
    const subscriptionArn = subscription.arn;
    this.#pending.set(id, { id, subscriptionArn, notification, isConfirmation, attempts: 0 });
    this.#due.push(steadyNow(), id);
    this.#work();
  }

  sendSms(phoneNumber: string, message: string): void {
    this.#storeSms(`To: ${phoneNumber}\n\n${message}\n`);
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Aborts deliveries under way; the next start tries them again. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    clearTimeout(this.#timer);
    await Promise.all(this.#running);
    this.#pending.close();
  }

  #work(): void {
    clearTimeout(this.#timer);
    if (this.#stopped.signal.aborted) return;
    for (let next = this.#due.peek(); next !== undefined; next = this.#due.peek()) {
      const waitMs = next.atMs - steadyNow();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#work(), waitMs);
        break;
      }
      this.#due.pop();
      const delivery = this.#pending.get(next.id);
      if (delivery !== undefined) this.#lineOf(delivery).waiting.push(next.id);
    }
    // Round robin over subscriptions, so that all get their share of the slots.
    for (let isBusy = true; isBusy; ) {
      isBusy = false;
      for (const [arn, line] of this.#lines) {
        isBusy = this.#startNext(line) || isBusy;
        if (line.running === 0 && line.waiting.length === 0) this.#lines.delete(arn);
      }
    }
  }

  #lineOf({ subscriptionArn }: Delivery): Line {
    const line = this.#lines.get(subscriptionArn) ?? { running: 0, waiting: [] };
    this.#lines.set(subscriptionArn, line);
    return line;
  }

  /** @returns whether one was started */
  #startNext(line: Line): boolean {
    const isShared = this.#running.size < MAXIMUM_CONCURRENCY && line.running < MAXIMUM_PER_SUBSCRIPTION;
    const id = line.running === 0 || isShared ? line.waiting.shift() : undefined;
    const delivery = id === undefined ? undefined : this.#pending.get(id);
    if (delivery === undefined) return id !== undefined;
    line.running += 1;
    const run = this.#attempt(delivery).finally(() => {
      line.running -= 1;
      this.#running.delete(run);
      this.#work();
    });
    this.#running.add(run);
    return true;
  }

  async #attempt(delivery: Delivery): Promise<void> {
    const subscription = this.#options.subscription(delivery.subscriptionArn);
    if (subscription === undefined) {
      this.#pending.delete(delivery.id); // unsubscribed meanwhile
      return;
    }
    const end = await this.#deliver(subscription, delivery).catch(failureOf);
    if (this.#stopped.signal.aborted && end.kind === "failed") return;
    if (end.kind === "failed") this.#failed(delivery, subscription, end.message, end.isPermanent);
    else this.#pending.delete(delivery.id);
  }

  #failed(delivery: Delivery, subscription: Subscription, message: string, isPermanent: boolean): void {
    const seconds = isPermanent ? undefined : retryDelay(retryPolicy(subscription), delivery.attempts + 1);
    if (seconds !== undefined) {
      this.#pending.set(delivery.id, { ...delivery, attempts: delivery.attempts + 1 });
      this.#due.push(steadyNow() + seconds * 1_000, delivery.id);
      return;
    }
    const what = delivery.isConfirmation ? "the confirmation" : `message ${delivery.notification.messageId}`;
    this.#options.log(
      `gave up ${what} to ${subscription.endpoint} after ${delivery.attempts + 1} attempts: ${message}`,
    );
    const target = delivery.isConfirmation ? undefined : deadLetterArn(subscription);
    if (target !== undefined) {
      const { body, attributes } = this.#queueForm(subscription, delivery.notification);
      this.#options.queueByArn(target)?.send(body, { attributes });
    }
    this.#pending.delete(delivery.id);
  }

  async #deliver(subscription: Subscription, delivery: Delivery): Promise<PostEnd> {
    const { notification } = delivery;
    switch (subscription.protocol) {
      case "http":
      case "https":
        return post(this.#post(subscription, delivery), this.#stopped.signal);
      case "email":
      case "email-json":
        return this.#mail(subscription, delivery);
      case "sqs": {
        const queue = this.#options.queueByArn(subscription.endpoint);
        if (!queue) return refused(`there is no queue ${subscription.endpoint}`);
        const { body, attributes } = this.#queueForm(subscription, notification);
        queue.send(body, { attributes, senderId: "sns" });
        return { kind: "delivered" };
      }
      case "lambda": {
        const isThere = this.#options.invokeLater(subscription.endpoint, this.#lambdaEvent(subscription, notification));
        return isThere ? { kind: "delivered" } : refused(`there is no function ${subscription.endpoint}`);
      }
      case "sms": {
        this.sendSms(subscription.endpoint, notification.message);
        return { kind: "delivered" };
      }
    }
  }

  #post(subscription: Subscription, { notification, isConfirmation }: Delivery): Post {
    const raw = !isConfirmation && isRaw(subscription);
    const body = isConfirmation
      ? this.#confirmation(subscription, notification)
      : raw
        ? notification.message
        : this.#envelope(subscription, notification);
    return {
      url: subscription.endpoint,
      body,
      headers: {
        "content-type": "text/plain; charset=UTF-8",
        "user-agent": "Amazon Simple Notification Service Agent",
        "x-amz-sns-message-type": isConfirmation ? "SubscriptionConfirmation" : "Notification",
        "x-amz-sns-message-id": notification.messageId,
        "x-amz-sns-topic-arn": notification.topicArn,
        ...(isConfirmation ? {} : { "x-amz-sns-subscription-arn": subscription.arn }),
        ...(raw ? { "x-amz-sns-rawdelivery": "true" } : {}),
      },
    };
  }

  async #mail(subscription: Subscription, { notification, isConfirmation }: Delivery): Promise<PostEnd> {
    const { mail, mailSender } = this.#options;
    const isJson = subscription.protocol === "email-json";
    const text = isConfirmation
      ? isJson
        ? this.#confirmation(subscription, notification)
        : `${confirmationText(subscription.topicArn).split("\n")[0]}\n\nTo confirm, open: ${this.confirmUrl(subscription)}\n`
      : isJson
        ? this.#envelope(subscription, notification)
        : `${notification.message}\n\n--\nTo end this subscription, open: ${this.unsubscribeUrl(subscription)}\n`;
    const subject = isConfirmation
      ? "AWS Notification - Subscription Confirmation"
      : (notification.subject ?? "AWS Notification Message");
    const to = [subscription.endpoint];
    const raw = await composeMail({ from: mailSender, to, subject, text });
    await mail.send({ from: mailSender, to, raw });
    return { kind: "delivered" };
  }

  confirmUrl({ topicArn, token }: Subscription): string {
    const query = new URLSearchParams({ Action: "ConfirmSubscription", TopicArn: topicArn, Token: token });
    return `${this.#options.publicUrl}/?${query.toString()}`;
  }

  unsubscribeUrl({ arn }: Subscription): string {
    const query = new URLSearchParams({ Action: "Unsubscribe", SubscriptionArn: arn });
    return `${this.#options.publicUrl}/?${query.toString()}`;
  }

  #confirmation(subscription: Subscription, { messageId, timestamp }: Notification): string {
    const { topicArn, token } = subscription;
    const subscribeUrl = this.confirmUrl(subscription);
    return confirmationEnvelope({ messageId, token, topicArn, timestamp, subscribeUrl }, this.#options.signer);
  }

  #envelope(subscription: Subscription, notification: Notification): string {
    return notificationEnvelope(notification, this.unsubscribeUrl(subscription), this.#options.signer);
  }

  #queueForm(subscription: Subscription, notification: Notification) {
    if (!isRaw(subscription)) return { body: this.#envelope(subscription, notification), attributes: {} };
    const attributes = Object.entries(notification.attributes).map(([name, { Type, Value }]) => [
      name,
      Type.startsWith("Binary") ? { DataType: Type, BinaryValue: Value } : { DataType: Type, StringValue: Value },
    ]);
    return { body: notification.message, attributes: Object.fromEntries(attributes) };
  }

  #lambdaEvent(subscription: Subscription, notification: Notification): string {
    const { UnsubscribeURL, SigningCertURL, ...sns } = JSON.parse(this.#envelope(subscription, notification));
    return JSON.stringify({
      Records: [
        {
          EventVersion: "1.0",
          EventSubscriptionArn: subscription.arn,
          EventSource: "aws:sns",
          Sns: {
            Subject: null,
            MessageAttributes: {},
            ...sns,
            SigningCertUrl: SigningCertURL,
            UnsubscribeUrl: UnsubscribeURL,
          },
        },
      ],
    });
  }
}

const refused = (message: string): PostEnd => ({ kind: "failed", message, isPermanent: true });

/** An error as a failed delivery, which is retried unless the receiver refused it. It must not end other deliveries. */
const failureOf = (error: Error): PostEnd => ({
  kind: "failed",
  message: error.message,
  isPermanent: error instanceof MailError && error.isPermanent,
});
