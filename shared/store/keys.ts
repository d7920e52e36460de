/**
 * The only place where key strings are built.
 *
 *  table     entity    pk                       sk                    answers
 *  monitors  monitor   MONITOR#<id>             MONITOR               what to check, and its status
 *  monitors  incident  MONITOR#<id>             INCIDENT#<startedAt>  what went wrong, newest first
 *  monitors  held      MONITOR#<id>             HELD#<startedAt>#<id> a monitor whose alerts this one's incident holds back
 *  monitors  note      INCIDENT#<incident id>   NOTE#<id>             what somebody wrote on an incident
 *  monitors  notes     INCIDENT#<incident id>   NOTES                 how many notes it has
 *  monitors  alert     INCIDENT#<incident id>   ALERT#<createdAt>#<alertId>  an alert about it, and to whom it went
 *  monitors  former    MONITOR#<id>             FORMER                a deleted monitor, to find its history
 *  monitors  shard     SHARD                    <interval>#<number>   members, locations, plannedUntil
 *  monitors  location  LOCATION                 <name>                heartbeat, silent/offline since
 *  monitors  state     LOCATION#<name>          STATE                 condition that was announced, outbox
 *  monitors  left      LEFT#<id>#<deletedAt>    STATE                 outbox of a deleted monitor
 *  monitors  mail      MAIL#<receiver>          <createdAt>#<alertId> one alert for one receiver, and its delivery
 *  monitors  receiver  RECEIVER#<receiver>      MAILBOX               how far its mail is delivered, lease, retry
 *  monitors  notice    NOTICE#<what>            STATE                 outbox of one message about a delivery
 *  monitors  token     TOKEN                    <id>                  SHA-256 of the secret, scopes
 *  monitors  subscription SUBSCRIPTION          <id>                  what SNS does not keep of a subscription
 *  monitors  audit     AUDIT#<yyyy-mm>          <at>#<id>             who changed what through the API
 *  monitors  channel   CHANNEL                  <id>                  name, kind and settings of an alert channel
 *  monitors  secret    CHANNEL#<id>             SECRET                its secret settings; of a deleted one what it is owed
 *  monitors  name      CHANNEL-NAME             <hash of name>        which channel has the name
 *  monitors  link      LINK-SECRET              SECRET                with which links in alerts are signed
 *  monitors  session   SESSION#<id>             SESSION               SHA-256 of its secrets, token, expiry
 *  monitors  code      LOGIN-CODE#<hash>        CODE                  a code that logs in once, by its SHA-256
 *  monitors  failures  LOGIN#<source>           <minute>              failed logins, for an hour
 *  monitors  page      PAGE                     <id>                  a public status page
 *  monitors  notice    PAGE#<page id>           NOTICE#<id>           what somebody announces on it
 *  monitors  subscriber PAGE-SUBSCRIBERS#<page id> <hash of address> who gets mail about a status page
 *  monitors  tries     PAGE-TRIES#<page id>     <of what>             how often somebody tried something, for a while
 *  monitors  preview   PAGE-PREVIEW#<id>        PREVIEW               a status page that is not saved, for minutes
 *  history   block     SHARD#<shard>#<location> <tick, 12 digits>     one shard's outcomes at one tick
 *  history   roster    ROSTER#<hash>            ROSTER                order of the monitors in a block
 *  history   chunk     MONITOR#<id>#<location>  <first tick, 12 digits>#<shard>
 *  history   day       MONITOR#<id>#<location>  DAY#<YYYY-MM-DD>
 *  history   stretch   MONITOR#<id>             STATUS#<since>#<seq>  from when on a monitor had which status
 *  history   summary   SUMMARY#<bucket>         HOUR#<hour> DAY#<day> seconds by status of all monitors of a bucket
 *  history   ids       SUMMARY#<bucket>         ROSTER#<hash>         order of the monitors in a summary
 *  history   change    SUMMARY#<bucket>         NEW#<since>#<id>#<seq>  stretches that no summary includes yet
 *  history   progress  COMPACTION               <shard>               how far its blocks became chunks and days
 *  history   part      SWEEP#<id>#<location>    PART#<tick>#<slice>   what one slice of a sweep found
 *  history   counters  COUNTERS#<id>#<location> <second, 12 digits>   one poll of a device's interfaces
 *  history   rates     RATES#<id>#<location>    DAY#<interface>#<YYYY-MM-DD>  its traffic in sums of 5 minutes
 *  history   month     RATES#<id>#<location>    MONTH#<interface>#<YYYY-MM>  95th percentile, peak, errors
 *  history   progress  RATES#<id>#<location>    PROGRESS              how far counters became rates
 *  history   usual     USUAL#<id>#<location>    RANGE#<measure>       its usual range by hour of the week
 *  history   progress  USUAL#<id>#<location>    PROGRESS              up to which day it is learned from
 *  history   sweep     SWEEP#<id>#<location>    END#<tick>            what a sweep found
 *
 * Indexes of `monitors`. They can never be changed: DynamoDB changes neither the key nor the projection of an index.
 *  members    shard           + pk                a shard's monitors, with what a check needs of them
 *  due        dueBucket       + nextEvaluationAt  timers that a decision set for itself (sparse)
 *  look-by    lookBucket      + lookBy            watchdogs: changes that must be processed by then (sparse)
 *  listed     listBucket      + listKey           all monitors by name, all incidents and sessions by start, audit
 *                                                 entries of a resource
 *  attention  attentionBucket + attentionKey      monitors that are not up by status, open incidents by start (sparse)
 *  changed    changedBucket   + changedAt         monitors whose settings or status changed, by when
 */

export const MONITOR_SK = "MONITOR";
/** Sort key of items that the stream brings to state-change and that are no monitors: outboxes. */
export const STATE_SK = "STATE";
/** Sort key of states of receivers, which the stream brings to deliver. */
export const MAILBOX_SK = "MAILBOX";
/** Partitions of the index `due`, and of `look-by`. Dispatch reads all of them every minute, at $0.004 a month each. */
export const DUE_BUCKETS = 4;
/** A partition takes 1,000 writes a second: 100,000 monitors that change within a minute write 833. */
export const LOOK_BUCKETS = 4;

/** Sort keys of ticks: twelve digits, so that text sorts as numbers. */
export const tickKey = (tick: number) => String(tick).padStart(12, "0");

export const monitorKey = (id: string) => ({ pk: `MONITOR#${id}`, sk: MONITOR_SK });
export const monitorIdOf = (pk: string) => pk.slice("MONITOR#".length);
export const incidentKey = (monitorId: string, startedAt: string) => ({
  pk: `MONITOR#${monitorId}`,
  sk: `INCIDENT#${startedAt}`,
});
export const formerKey = (monitorId: string) => ({ pk: `MONITOR#${monitorId}`, sk: "FORMER" });
/** Of a parent, by the start of its incident. */
export const heldPrefix = (startedAt: string) => `HELD#${startedAt}#`;
export const heldKey = (parentId: string, startedAt: string, childId: string) => ({
  pk: `MONITOR#${parentId}`,
  sk: `${heldPrefix(startedAt)}${childId}`,
});
export const INCIDENT_PREFIX = "INCIDENT#";
export const FACT_CHANGE_PREFIX = "FACT-CHANGE#";
/** @param id of the change: `<monitor id>.<hash>` */
export const factChangeKey = (monitorId: string, since: string, id: string) => ({
  pk: `MONITOR#${monitorId}`,
  sk: `${FACT_CHANGE_PREFIX}${since}#${id.slice(id.indexOf(".") + 1)}`,
});
export const NOTE_PREFIX = "NOTE#";
/** Apart from the incident's own item, which its monitor's decisions write. */
export const noteKey = (incidentId: string, id: string) => ({
  pk: `INCIDENT#${incidentId}`,
  sk: `${NOTE_PREFIX}${id}`,
});
export const noteCountKey = (incidentId: string) => ({ pk: noteKey(incidentId, "").pk, sk: "NOTES" });
export const INCIDENT_ALERT_PREFIX = "ALERT#";
/** @param createdAt of the outbox entry, so that a repeated post has the same key */
export const incidentAlertKey = (incidentId: string, createdAt: string, alertId: string) => ({
  pk: `INCIDENT#${incidentId}`,
  sk: `${INCIDENT_ALERT_PREFIX}${createdAt}#${alertId}`,
});
export const shardKey = (shard: string) => ({ pk: "SHARD", sk: shard });
export const locationKey = (name: string) => ({ pk: "LOCATION", sk: name });
/** A location's announced condition, with an outbox; the stream delivers it to state-change like a monitor. */
export const locationStateKey = (name: string) => ({ pk: `LOCATION#${name}`, sk: STATE_SK });
/** The outbox of a deleted monitor; the stream delivers it to state-change like a location's state. */
export const LEFT_PREFIX = "LEFT#";
export const leftKey = (monitorId: string, deletedAt: string) => ({
  pk: `${LEFT_PREFIX}${monitorId}#${deletedAt}`,
  sk: STATE_SK,
});
/** @param createdAt of the outbox entry, so that a repeated post has the same key */
export const mailKey = (receiver: string, createdAt: string, alertId: string) => ({
  pk: `MAIL#${receiver}`,
  sk: `${createdAt}#${alertId}`,
});
const RECEIVER_PREFIX = "RECEIVER#";
export const receiverKey = (receiver: string) => ({ pk: `${RECEIVER_PREFIX}${receiver}`, sk: MAILBOX_SK });
export const receiverOfKey = (pk: string) => pk.slice(RECEIVER_PREFIX.length);
/** The outbox of one message for topic `system`; the stream delivers it to state-change like a location's state. */
export const NOTICE_PREFIX = "NOTICE#";
export const noticeKey = (name: string) => ({ pk: `${NOTICE_PREFIX}${name}`, sk: STATE_SK });
/** How long entries of the audit log are kept. */
export const AUDIT_KEPT_DAYS = 400;
/** Month of a moment or of the sort key of an audit entry: `2026-11`. */
export const auditMonth = (at: string) => at.slice(0, "2026-11".length);
export const auditKey = (at: string, id: string) => ({ pk: `AUDIT#${auditMonth(at)}`, sk: `${at}#${id}` });
/** Place of an audit entry in the list of its resource's entries; undefined for an entry without one. */
export const auditPlace = ({ resource, at, id }: { resource: string | null; at: string; id: string }) =>
  resource === null ? undefined : { listBucket: `AUDIT#${resource}`, listKey: `${at}#${id}` };
export const subscriptionKey = (id: string) => ({ pk: "SUBSCRIPTION", sk: id });
export const tokenKey = (id: string) => ({ pk: "TOKEN", sk: id });
export const channelKey = (id: string) => ({ pk: "CHANNEL", sk: id });
/** Apart from the channel, so that functions that send nothing cannot read it. */
export const channelSecretKey = (id: string) => ({ pk: `CHANNEL#${id}`, sk: "SECRET" });
export const linkSecretKey = { pk: "LINK-SECRET", sk: "SECRET" };
/** Partition keys of all secrets, as patterns of IAM. */
export const SECRETS = [channelSecretKey("*").pk, linkSecretKey.pk];
export const channelNameKey = (hash: string) => ({ pk: "CHANNEL-NAME", sk: hash });
/** Partition of all status pages. */
export const PAGES_PK = "PAGE";
/** Partition of what belongs to one status page. */
export const pagePartition = (pageId: string) => `PAGE#${pageId}`;
export const PAGE_NOTICE_PREFIX = "NOTICE#";
/** Apart from the page, because the public function writes these and nothing of the page. */
export const pageTriesKey = (pageId: string, what: string) => ({ pk: `PAGE-TRIES#${pageId}`, sk: what });
export const pageSubscribersPartition = (pageId: string) => `PAGE-SUBSCRIBERS#${pageId}`;
export const pagePreviewKey = (id: string) => ({ pk: `PAGE-PREVIEW#${id}`, sk: "PREVIEW" });
/**
 * Partition keys, as patterns of IAM, of all that the public function reads of the table of monitors beside its indexes, and
 * of what it writes: it sends mail to subscribers of pages, and to nobody else.
 */
export const PUBLIC_READS = [
  PAGES_PK,
  pagePartition("*"),
  pagePreviewKey("*").pk,
  pageSubscribersPartition("*"),
  "MONITOR#*",
  "INCIDENT#*",
  "WINDOW",
];
export const PUBLIC_WRITES = [
  pageTriesKey("*", "").pk,
  pageSubscribersPartition("*"),
  mailKey("subscriber:*", "", "").pk,
  receiverKey("subscriber:*").pk,
];
export const sessionKey = (id: string) => ({ pk: `SESSION#${id}`, sk: "SESSION" });
export const loginCodeKey = (hash: string) => ({ pk: `LOGIN-CODE#${hash}`, sk: "CODE" });
export const loginFailuresKey = (source: string, now: Date) => ({
  pk: `LOGIN#${source}`,
  sk: now.toISOString().slice(0, "2026-11-22T10:00".length),
});

export const blockKey = (shard: string, location: string, tick: number) => ({
  pk: `SHARD#${shard}#${location}`,
  sk: tickKey(tick),
});
export const rosterKey = (hash: string) => ({ pk: `ROSTER#${hash}`, sk: "ROSTER" });
/** Contains the shard, because a monitor that just moved may have been checked in two shards at one tick. */
export const chunkKey = (monitorId: string, location: string, firstTick: number, shard: string) => ({
  pk: `MONITOR#${monitorId}#${location}`,
  sk: `${tickKey(firstTick)}#${shard}`,
});
export const dayKey = (monitorId: string, location: string, date: string) => ({
  pk: `MONITOR#${monitorId}#${location}`,
  sk: `DAY#${date}`,
});
/** Sequences are at most 2^53: sixteen digits, so that text sorts as numbers. */
const sequenceKey = (sequence: number) => String(sequence).padStart(16, "0");
export const STRETCH_PREFIX = "STATUS#";
export const stretchKey = (monitorId: string, since: string, sequence: number) => ({
  pk: `MONITOR#${monitorId}`,
  sk: `${STRETCH_PREFIX}${since}#${sequenceKey(sequence)}`,
});
/** Partitions of summaries. A monitor stays in one for ever, whichever shard it moves to. */
export const SUMMARY_BUCKETS = Array.from({ length: 16 }, (_, bucket) => bucket);
export const summaryBucketOf = (monitorId: string) => placeOf(monitorId, SUMMARY_BUCKETS.length);
/** @param start first second of the hour or the UTC day */
export const summaryKey = (bucket: number, period: "HOUR" | "DAY", start: number) => ({
  pk: `SUMMARY#${bucket}`,
  sk: `${period}#${new Date(start * 1000).toISOString().slice(0, period === "HOUR" ? 13 : 10)}`,
});
export const summaryRosterKey = (bucket: number, hash: string) => ({ pk: `SUMMARY#${bucket}`, sk: `ROSTER#${hash}` });
/** Sorts after the hours, so that one query reads the newest summaries and what they lack. */
export const CHANGE_PREFIX = "NEW#";
export const changeKey = (monitorId: string, since: string, sequence: number) => ({
  pk: `SUMMARY#${summaryBucketOf(monitorId)}`,
  sk: `${CHANGE_PREFIX}${since}#${monitorId}#${sequenceKey(sequence)}`,
});

export const progressKey = (shard: string) => ({ pk: "COMPACTION", sk: shard });

/** @param part `PART#` for what slices found, `END#` for what sweeps found */
const sweepKey = (monitorId: string, location: string, part: string) => ({
  pk: `SWEEP#${monitorId}#${location}`,
  sk: part,
});
export const sweepPartsPrefix = (tick: number) => `PART#${tickKey(tick)}#`;
export const sweepPartKey = (monitorId: string, location: string, tick: number, slice: number) =>
  sweepKey(monitorId, location, `${sweepPartsPrefix(tick)}${String(slice).padStart(4, "0")}`);
export const SWEEP_END_PREFIX = "END#";
export const sweepEndKey = (monitorId: string, location: string, tick: number) =>
  sweepKey(monitorId, location, `${SWEEP_END_PREFIX}${tickKey(tick)}`);

/** @param second when the counters were read */
export const countersKey = (monitorId: string, location: string, second: number) => ({
  pk: `COUNTERS#${monitorId}#${location}`,
  sk: tickKey(second),
});

/** @param sk of one interface and day or month, or `PROGRESS` */
const ratesOf = (monitorId: string, location: string, sk: string) => ({ pk: `RATES#${monitorId}#${location}`, sk });
export const ratesKey = (monitorId: string, location: string, name: string, date: string) =>
  ratesOf(monitorId, location, `DAY#${name}#${date}`);
export const ratesMonthKey = (monitorId: string, location: string, name: string, month: string) =>
  ratesOf(monitorId, location, `MONTH#${name}#${month}`);
export const ratesProgressKey = (monitorId: string, location: string) => ratesOf(monitorId, location, "PROGRESS");

export const USUAL_PREFIX = "RANGE#";
/** @param series name of a measure; of an interface followed by `#` and its name */
export const usualKey = (monitorId: string, location: string, series: string) => ({
  pk: `USUAL#${monitorId}#${location}`,
  sk: `${USUAL_PREFIX}${series}`,
});
export const usualProgressKey = (monitorId: string, location: string) => ({
  pk: usualKey(monitorId, location, "").pk,
  sk: "PROGRESS",
});

/** Names a shard: lane and number, for example `60#3`. */
export const shardName = (intervalSeconds: number, number: number) => `${intervalSeconds}#${number}`;
/** A sweep has a shard for itself: `3600#s3`. */
export const sweepShardName = (intervalSeconds: number, number: number) => `${intervalSeconds}#s${number}`;
export const isSweepShard = (shard: string) => shard.includes("#s");
export const laneOf = (shard: string) => Number(shard.slice(0, shard.indexOf("#")));

/** Hashes a name to one of `places` numbers: always the same number for the same name. */
export const placeOf = (name: string, places: number) => {
  let hash = 0;
  for (const char of name) hash = (hash * 31 + char.charCodeAt(0)) >>> 0;
  return hash % places;
};

/** Partition of the sparse index `due` that an item's own timer lives in. */
export const dueBucket = (pk: string) => `DUE#${placeOf(pk, DUE_BUCKETS)}`;
/** Partition of the sparse index `look-by` that an item's watchdog lives in. */
export const lookBucket = (pk: string) => `LOOK#${placeOf(pk, LOOK_BUCKETS)}`;
