/**
 * What a token limited to tags sees and changes. `run` gives every route its dependencies through here, so that no route
 * has to think of the limit: to it, other monitors do not exist.
 *
 * Each object below is whole and written out: a store or a method that is added does not compile until it is decided here
 * what of it a limited token sees.
 */
import {
  GetSubscriptionAttributesCommand,
  ListSubscriptionsByTopicCommand,
  SetSubscriptionAttributesCommand,
  type SNSClient,
  SubscribeCommand,
  UnsubscribeCommand,
} from "@aws-sdk/client-sns";
import { type FieldError, InvalidInput } from "../../../shared/errors.ts";
import type { MonitorSettings } from "../../../shared/model.ts";
import type { Policy } from "../../../shared/rules/policies.ts";
import type { StoredWindow } from "../../../shared/store/alerting.ts";
import type { FormerStore } from "../../../shared/store/former.ts";
import type { IncidentStore, RecordedIncident } from "../../../shared/store/incidents.ts";
import type { StoredMonitor } from "../../../shared/store/monitor-item.ts";
import type { MonitorRow } from "../../../shared/store/monitor-row.ts";
import type { Changed } from "../../../shared/store/monitor-rows.ts";
import type { MonitorStore } from "../../../shared/store/monitors.ts";
import type { Deps } from "../deps.ts";
import { limitedPages } from "../status-pages/limited.ts";
import { Problem } from "./problem.ts";

type Tags = readonly string[];
type Tagged = Pick<MonitorSettings, "tags">;

/** What routes that write many monitors ask before the first write. */
export interface Access {
  /** Errors if the caller's token may not have a monitor with these settings. @param base path, such as `monitors[3]` */
  readonly settingsErrors: (settings: Tagged, base?: string) => FieldError[];
  /** Which of these ids belong to monitors that the caller's token does not see. */
  readonly hidden: (ids: readonly string[]) => Promise<ReadonlySet<string>>;
}
/** Of tokens without a limit. */
export const FULL_ACCESS: Access = { settingsErrors: () => [], hidden: async () => new Set() };

/** Whether a monitor has one of the tags, each `name=value`. */
const hasOne = (limit: Tags, { tags }: Tagged) =>
  Object.entries(tags).some(([name, value]) => limit.includes(`${name}=${value}`));

const accessOf = (limit: Tags, monitors: MonitorStore): Access => ({
  settingsErrors: (settings, base = "") =>
    hasOne(limit, settings)
      ? []
      : [
          {
            path: base ? `${base}.tags` : "tags",
            message: `must include ${limit.join(" or ")}: the token is limited to monitors with ${limit.length > 1 ? "one of these tags" : "this tag"}`,
          },
        ],
  hidden: async (ids) =>
    new Set([...(await monitors.getMany(ids)).values()].filter((one) => !hasOne(limit, one)).map(({ id }) => id)),
});

const takenByHidden = () =>
  new Problem("already-exists", "a monitor that this token does not see has this key: choose another key");

/** @param seen gets the ids of the monitors that are given out */
const limitedMonitors = (
  limit: Tags,
  all: MonitorStore,
  access: Access,
  former: FormerStore,
  seen: Set<string>,
): MonitorStore => {
  const sees = (monitor: StoredMonitor) => hasOne(limit, monitor) && seen.add(monitor.id).size > 0;
  const seesRow = (row: MonitorRow) => hasOne(limit, row) && seen.add(row.id).size > 0;
  const refuse = (settings: Tagged) => {
    const errors = access.settingsErrors(settings);
    if (errors.length > 0) throw new InvalidInput(errors);
  };
  return {
    get: async (id) => {
      const found = await all.get(id);
      return found && sees(found) ? found : undefined;
    },
    getMany: async (ids) => new Map([...(await all.getMany(ids))].filter(([, monitor]) => sees(monitor))),
    create: async (monitor, now) => {
      refuse(monitor);
      if (await all.create(monitor, now)) return true;
      if ((await access.hidden([monitor.id])).size > 0) throw takenByHidden();
      return false;
    },
    saveSettings: async (before, after, now) => {
      refuse(after);
      return hasOne(limit, before) && all.saveSettings(before, after, now);
    },
    acknowledge: async (before, acknowledged, now) =>
      hasOne(limit, before) && all.acknowledge(before, acknowledged, now),
    saveBaseline: async (before, baseline, now) => hasOne(limit, before) && all.saveBaseline(before, baseline, now),
    // Keys alone, to have them decided again.
    notUp: all.notUp,
    markDeleted: async (before, now) => hasOne(limit, before) && all.markDeleted(before, now),
    list: async (count, after) => {
      const page = await all.list(count, after);
      return { ...page, items: page.items.filter(sees) };
    },
    rows: async (now) => (await all.rows(now)).filter(seesRow),
    rowsWithStatus: async (statuses, now) => (await all.rowsWithStatus(statuses, now)).filter(seesRow),
    rowsOf: async (ids) => (await all.rowsOf(ids)).filter(seesRow),
    // The index holds ids without tags, so the monitors of these are read.
    changedAfter: async (moment) => {
      const found = await all.changedAfter(moment);
      const idsOf = (some: readonly Changed[]) => [...new Set(some.map(({ id }) => id))];
      const [rows, gone] = await Promise.all([
        all.rowsOf(idsOf(found.filter(({ isFormer }) => !isFormer))),
        former.names(idsOf(found.filter(({ isFormer }) => isFormer))),
      ]);
      const present = new Set(rows.filter(seesRow).map(({ id }) => id));
      return found.filter(({ id, isFormer }) => (isFormer ? gone : present).has(id));
    },
    // The number of all monitors is nobody's business; that of the own ones is counted from rows.
    count: async () => null,
  };
};

/** Like incidents. */
const limitedChanges = (all: Deps["changes"], { get, rowsOf }: MonitorStore): Deps["changes"] => ({
  list: async (state, count, before) => {
    const page = await all.list(state, count, before);
    const own = new Set((await rowsOf([...new Set(page.items.map(({ monitorId }) => monitorId))])).map(({ id }) => id));
    return { ...page, items: page.items.filter(({ monitorId }) => own.has(monitorId)) };
  },
  of: async (monitorId, now) => ((await get(monitorId)) ? all.of(monitorId, now) : []),
});

/** Incidents do not have their monitor's tags, so the monitors are read; those of deleted ones are hidden. */
const limitedIncidents = (all: IncidentStore, { get, rowsOf }: MonitorStore): IncidentStore => {
  const own = async <I extends Pick<RecordedIncident, "monitorId">>(incidents: readonly I[]) => {
    const seen = new Set((await rowsOf([...new Set(incidents.map(({ monitorId }) => monitorId))])).map(({ id }) => id));
    return incidents.filter(({ monitorId }) => seen.has(monitorId));
  };
  return {
    list: async (question, count, before) => {
      const page = await all.list(question, count, before);
      return { ...page, items: await own(page.items) };
    },
    count: async () => null,
    startsAfter: async (moment) => own(await all.startsAfter(moment)),
    getMany: async (ids) => own(await all.getMany(ids)),
    listOf: async (monitorId, count, before, question) =>
      (await get(monitorId)) ? all.listOf(monitorId, count, before, question) : { items: [], next: null },
    get: async (monitorId, startedAt) => ((await get(monitorId)) ? all.get(monitorId, startedAt) : undefined),
  };
};

const refused = (path: string) =>
  new InvalidInput([
    { path, message: "must be about monitors of the token's tags alone: the token is limited to monitors with these" },
  ]);

/** Whether tags that must all fit are those of monitors that the token sees. */
const areOfLimit = (limit: Tags, tags: Readonly<Record<string, string>> | undefined) =>
  Object.entries(tags ?? {}).some(([name, value]) => limit.includes(`${name}=${value}`));

/** All policies are seen, without addresses (see `presentPolicy`); those that take monitors of the limit, and nothing else, are changed. */
const limitedPolicies = (limit: Tags, all: Deps["policies"]): Deps["policies"] => {
  const isOwn = ({ match }: Policy) => areOfLimit(limit, match?.tags) && match?.events === undefined;
  const only = (policies: readonly Policy[]) => {
    if (!policies.every(isOwn)) throw refused("match.tags");
  };
  return {
    all: all.all,
    get: all.get,
    create: async (policy) => {
      only([policy]);
      return all.create(policy);
    },
    update: async (before, after) => {
      only([before, after]);
      return all.update(before, after);
    },
    remove: async (policy) => {
      only([policy]);
      return all.remove(policy);
    },
  };
};

/** Channels are everybody's: all are seen, without secrets, and none is made, changed, deleted or tested. */
const limitedChannels = ({ get, list }: Deps["channels"]): Deps["channels"] => {
  const refuse = async (): Promise<never> => {
    throw new Problem("missing-scope", "the token is limited to monitors with certain tags: channels belong to all");
  };
  const [retired, settleOwed] = [refuse, refuse]; // of deliver
  return { get, list, secrets: refuse, create: refuse, update: refuse, remove: refuse, retired, settleOwed };
};

/** Deliveries are seen whose monitor had one of the tags then. */
const limitedDeliveries = (limit: Tags, { list, untoldEnds }: Deps["deliveries"]): Deps["deliveries"] => ({
  // Ids alone, to delete a channel, which a limited token may not.
  untoldEnds,
  list: async (...asked) => {
    const page = await list(...asked);
    return { ...page, items: page.items.filter(({ alert }) => hasOne(limit, alert.monitor)) };
  },
});

/** Windows about monitors of the limit alone are seen and changed. */
const limitedWindows = (limit: Tags, all: Deps["windows"], monitors: MonitorStore): Deps["windows"] => {
  const isOwn = async ({ versions }: StoredWindow) => {
    const { all: isForAll, monitorIds, tags } = versions.at(-1)!.scope;
    const hasForeignTags = Object.keys(tags).length > 0 && !areOfLimit(limit, tags);
    return !isForAll && !hasForeignTags && (await monitors.getMany(monitorIds)).size === monitorIds.length;
  };
  const only = async (windows: readonly StoredWindow[]) => {
    for (const window of windows) if (!(await isOwn(window))) throw refused("tags");
  };
  return {
    all: async () => {
      const own: StoredWindow[] = [];
      for (const window of await all.all()) if (await isOwn(window)) own.push(window);
      return own;
    },
    get: async (id) => {
      const window = await all.get(id);
      return window && (await isOwn(window)) ? window : undefined;
    },
    create: async (window) => {
      await only([window]);
      return all.create(window);
    },
    update: async (before, after) => {
      await only([before, after]);
      return all.update(before, after);
    },
    remove: async (window) => {
      await only([window]);
      return all.remove(window);
    },
  };
};

/** Of the monitors that an incident held back, those that are seen. */
const limitedDependencies = (all: Deps["dependencies"], { rowsOf }: MonitorStore): Deps["dependencies"] => ({
  async *heldBy(incident, after) {
    for await (const page of all.heldBy(incident, after)) {
      const seen = new Set((await rowsOf(page.map(({ monitorId }) => monitorId))).map(({ id }) => id));
      yield page.filter(({ monitorId }) => seen.has(monitorId));
    }
  },
});

/** Whether a subscription's filter lets only alerts pass that have one of the tags. */
const isWithin = (limit: Tags, filterPolicy: string | undefined) => {
  const { tags } = JSON.parse(filterPolicy || "{}") as { tags?: unknown };
  return Array.isArray(tags) && tags.length > 0 && tags.every((tag) => limit.includes(tag));
};

/** SNS's own error for a subscription that does not exist. */
const notFound = () => Object.assign(new Error("Subscription does not exist"), { name: "NotFoundException" });

/** Subscriptions are stored at SNS: a limited token has those that are filtered by its tags. */
const limitedSns = (limit: Tags, sns: Deps["sns"]): Deps["sns"] => {
  const refuseFilter = (filterPolicy: string | undefined) => {
    if (isWithin(limit, filterPolicy)) return;
    const message = `must be given, with none but ${limit.join(", ")}: the token is limited to monitors with these tags`;
    throw new InvalidInput([{ path: "filter.tags", message }]);
  };
  const refuseOthers = async (SubscriptionArn: string | undefined) => {
    const { Attributes } = await sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn }));
    if (!isWithin(limit, Attributes?.FilterPolicy)) throw notFound();
  };
  const send = async (command: unknown) => {
    if (command instanceof ListSubscriptionsByTopicCommand) {
      const { Subscriptions = [], ...page } = await sns.send(command);
      // Until it is confirmed, a subscription has no ARN to ask for its filter with.
      const named = Subscriptions.filter(({ SubscriptionArn }) => SubscriptionArn?.startsWith("arn:"));
      return { ...page, Subscriptions: named };
    }
    if (command instanceof GetSubscriptionAttributesCommand) {
      const answer = await sns.send(command);
      if (!isWithin(limit, answer.Attributes?.FilterPolicy)) throw notFound();
      return answer;
    }
    if (command instanceof SubscribeCommand) {
      // Without attributes this finds a subscription that the receiver has already, with whatever filter.
      if (!command.input.Attributes)
        throw new Problem(
          "already-exists",
          "the receiver has a subscription with another filter: delete that one first",
        );
      refuseFilter(command.input.Attributes.FilterPolicy);
      return sns.send(command);
    }
    if (command instanceof SetSubscriptionAttributesCommand) {
      await refuseOthers(command.input.SubscriptionArn);
      if (command.input.AttributeName === "FilterPolicy") refuseFilter(command.input.AttributeValue);
      return sns.send(command);
    }
    if (command instanceof UnsubscribeCommand) {
      await refuseOthers(command.input.SubscriptionArn);
      return sns.send(command);
    }
    throw new Problem("missing-scope", "a token that is limited to tags cannot do this");
  };
  return { send: send as SNSClient["send"] };
};

/** Deleted monitors are known by the tags that they had. */
const limitedFormer = (limit: Tags, former: FormerStore, seen: Set<string>): FormerStore => ({
  remember: former.remember,
  get: async (id, now) => {
    const found = await former.get(id, now);
    return found && hasOne(limit, found) && seen.add(id).size > 0 ? found : undefined;
  },
  // A monitor that is created again takes over the placements of a deleted one, which may have had other tags.
  recall: async () => new Map(),
  names: async (ids) => new Map([...(await former.names(ids))].filter(([, one]) => hasOne(limit, one))),
});

/** @param limit tags of the caller's token; null: not limited; undefined: a call without a token */
export const limitedTo = (limit: Tags | null | undefined, deps: Deps): Deps => {
  if (!limit) return deps;
  const access = accessOf(limit, deps.monitors);
  const seen = new Set<string>();
  const former = limitedFormer(limit, deps.former, seen);
  const monitors = limitedMonitors(limit, deps.monitors, access, former, seen);
  const { history } = deps;
  return {
    access,
    monitors,
    incidents: limitedIncidents(deps.incidents, monitors),
    changes: limitedChanges(deps.changes, monitors),
    policies: limitedPolicies(limit, deps.policies),
    windows: limitedWindows(limit, deps.windows, monitors),
    dependencies: limitedDependencies(deps.dependencies, monitors),
    channels: limitedChannels(deps.channels),
    pages: limitedPages(deps.pages),
    pageNews: deps.pageNews,
    deliveries: limitedDeliveries(limit, deps.deliveries),
    sns: limitedSns(limit, deps.sns),
    history: {
      ...history,
      // Blocks have the outcomes of a whole shard; who is in which row is known by the roster alone. Most calls read
      // monitors first and then the rows of those; only for one that has not, the 250 monitors of the roster are read.
      roster: async (hash) => {
        const ids = await history.roster(hash);
        if (ids && !ids.some((id) => seen.has(id))) await monitors.getMany(ids);
        return ids?.map((id) => (seen.has(id) ? id : ""));
      },
    },
    former,

    // By id, of or about monitors and incidents that were found through the stores above.
    allWindows: deps.allWindows,
    incidentAlerts: deps.incidentAlerts,
    notes: deps.notes,
    stretches: deps.stretches,
    sweeps: deps.sweeps,
    counters: deps.counters,
    rates: deps.rates,
    statusReader: deps.statusReader,
    // SNS is asked for what a limited token sees; records of others would tell of those that it does not.
    subscriptions: {
      put: deps.subscriptions.put,
      forget: deps.subscriptions.forget,
      get: async () => undefined,
      ofTopic: async () => new Map(),
    },

    // Nothing of a monitor in these.
    subscribersOf: deps.subscribersOf,
    notify: deps.notify,
    newId: deps.newId,
    version: deps.version,
    locations: deps.locations,
    heartbeats: deps.heartbeats,
    shards: deps.shards,
    due: deps.due,
    planning: deps.planning,
    retention: deps.retention,
    probes: deps.probes,
    receivers: deps.receivers,
    topics: deps.topics,
    deadLetterArn: deps.deadLetterArn,
    openapi: deps.openapi,
    logger: deps.logger,
    metrics: deps.metrics,
    now: deps.now,

    // For calls without a token.
    linkSecret: deps.linkSecret,

    // For calls with scope `admin`, which no limited token has, or about the caller itself.
    audit: deps.audit,
    tokens: deps.tokens,
    sessions: deps.sessions,
    sweepRights: deps.sweepRights,
    logins: deps.logins,
    fairShare: deps.fairShare,
  };
};
