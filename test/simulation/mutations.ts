/** The mistakes that `mutants.ts` puts in, one at a time: every condition of a store, and the rules that matter most. */
import { CHANGE_MUTANTS } from "./change-mutations.ts";
import { CONDITION_MUTANTS } from "./condition-mutations.ts";
import { DEPENDENCY_MUTANTS } from "./dependency-mutations.ts";
import { MAILBOX_MUTANTS } from "./mailbox-mutations.ts";
import { type Mutant, mutant } from "./mutant.ts";
import { SWEEP_MUTANTS } from "./sweep-mutations.ts";

const ARCHIVE = "/shared/store/archive.ts";
const WRITE_ALL = "/shared/store/write-all.ts";
const BELIEFS = "/functions/probe/beliefs.ts";
const CHUNKS = "/functions/compact/chunks.ts";
const DAYS = "/functions/compact/days.ts";
const DECISIONS = "/shared/store/decisions.ts";
const DISPATCH = "/functions/dispatch/dispatch.ts";
const DUE = "/shared/store/due.ts";
const HISTORY = "/shared/store/history.ts";
const INCIDENT = "/shared/rules/incident.ts";
const TELLING = "/shared/rules/telling.ts";
const JUDGE = "/shared/rules/judge.ts";
const MEMBERS = "/functions/probe/members.ts";
const MONITORS = "/shared/store/monitors.ts";
const PLANNING = "/shared/store/planning.ts";
const QUORUM = "/shared/rules/quorum.ts";
const READ = "/shared/store/read.ts";
const READER = "/shared/store/history-reader.ts";
const SHARDS = "/shared/store/shards.ts";
const TICK = "/functions/probe/tick.ts";
const VIEWS = "/shared/store/views.ts";
const WRITER = "/functions/probe/view-writer.ts";

const VIEW_CONDITION =
  "attribute_exists(pk) AND settingsVersion = :version AND paused = :false AND deletedAt = :null AND $" + "{fresh}";

export const MUTANTS: readonly Mutant[] = [
  // Views
  mutant(
    "a view replaces a newer one",
    VIEWS,
    "#beliefs.#location.tick < :tick OR #beliefs.#location.tick = :replaces",
    "#beliefs.#location.tick <> :tick OR #beliefs.#location.tick = :replaces",
  ),
  mutant(
    "a view of earlier settings is stored",
    VIEWS,
    VIEW_CONDITION,
    VIEW_CONDITION.replace("settingsVersion = :version", "(settingsVersion = :version OR settingsVersion <> :version)"),
    { caughtBy: "while its check is under way" },
  ),
  mutant(
    "a paused monitor gets views",
    VIEWS,
    VIEW_CONDITION,
    VIEW_CONDITION.replace("paused = :false", "(paused = :false OR paused <> :false)"),
    {
      lives: "a pause gives the settings a new version, which the same condition compares",
    },
  ),
  mutant(
    "a spot check replaces a view",
    VIEWS,
    '? "attribute_not_exists(#views.#location)"',
    '? "attribute_exists(pk)"',
  ),
  mutant("a view's write asks for no look", VIEWS, "$" + "{look.set} ADD", "lookTried = :one ADD", {
    lives: "the stream brings the change up; the timer is for when that fails",
  }),
  {
    name: "own network is never asked",
    replacements: [
      { file: WRITER, from: "if (offline || (turnsDown && !(await isOnline()))) {", to: "if (offline) {" },
      { file: TICK, from: "onFailure: writer.doubtNetwork,", to: "" },
    ],
    caughtBy: "our own network",
  },
  mutant(
    "own network is not asked after the last attempt",
    WRITER,
    "if (offline || (turnsDown && !(await isOnline()))) {",
    "if (offline) {",
    { caughtBy: "our own network" },
  ),
  mutant("own network is not asked at the first failure", TICK, "onFailure: writer.doubtNetwork,", ""),
  mutant(
    "a tick has no owner",
    WRITER,
    "if (!(await owned) || now() >= deadlineMs) return",
    "if (now() >= deadlineMs) return",
    {
      caughtBy: "only its owner's are stored",
    },
  ),
  mutant(
    "blocks are always believed",
    BELIEFS,
    "if (!isRightBefore || !isSure(entry) || isContradicted)",
    "if (!entry || entry.view === null)",
  ),
  mutant(
    "what the list of members says is not compared",
    BELIEFS,
    "isFresh && member.beliefs[location]?.health !== entry?.view",
    "isFresh && entry === undefined",
    {
      lives: "fences refuse the writes that would lead to it; the list is for what nobody has thought of",
    },
  ),
  mutant(
    "writes on their way are not fenced off",
    BELIEFS,
    "return { ids: await views.fence(ids, location, tick) };",
    "return { ids: new Set() };",
    { caughtBy: "arrives after minutes" },
  ),
  mutant("another run's views at a tick are not read", BELIEFS, "=== tick - lane && !isBegun", "=== tick - lane", {
    caughtBy: "who does its tick again",
  }),
  mutant("a slow lane's views wait for the next tick", TICK, "lane >= REPEATED_FROM_SECONDS", "lane < 0", {
    caughtBy: "the job's repetition tells",
  }),
  mutant(
    "blocks of a former life are believed",
    BELIEFS,
    "(isFuture || tick * 1000 >= changedAtMs - 1000)",
    "(isFuture || tick > 0)",
    {
      lives: "versions of a new life begin at a number of chance, so the byte beside each outcome differs as well",
    },
  ),
  mutant("checks lost to our own network count", TICK, "offline ? before.history : history", "history"),
  mutant("streaks are not carried over", BELIEFS, "history: entry ?? EMPTY_HISTORY,", "history: EMPTY_HISTORY,"),
  mutant("members are remembered for ever", MEMBERS, "known?.revision === revision &&", "known !== undefined &&"),
  mutant(
    "thresholds are off by one",
    JUDGE,
    'streak(history, 0) >= failureThreshold ? "down"',
    'streak(history, 0) >= failureThreshold - 1 ? "down"',
  ),
  mutant(
    "no threshold for slow",
    JUDGE,
    "history.notUpStreak >= failureThreshold || isSettled",
    "history.notUpStreak >= 1 || isSettled",
  ),
  // Decisions
  mutant(
    "a decision is stored whatever happened meanwhile",
    DECISIONS,
    'ConditionExpression: "revision = :revision",\n        ExpressionAttributeNames',
    'ConditionExpression: "revision = :revision OR revision > :revision",\n        ExpressionAttributeNames',
  ),
  mutant(
    "a delivered entry is removed whatever it is by now",
    DECISIONS,
    "conditions.push(`#outbox.$" + "{alert}.#sequence = :s$" + "{n}`);",
    "conditions.push(`#outbox.$" + "{alert}.#sequence > :zero OR :s$" + '{n} > :zero`); values[":zero"] = -1;',
    {
      lives: "an entry's key says what it tells, and only projections of incidents take another's place",
    },
  ),
  mutant(
    "an older projection of an incident replaces a newer one",
    DECISIONS,
    "attribute_not_exists(#sequence) OR #sequence < :sequence",
    "attribute_not_exists(#sequence) OR #sequence <> :sequence",
    { caughtBy: "does not replace its end" },
  ),
  mutant(
    "a deleted monitor is removed whatever came up",
    DECISIONS,
    'ConditionExpression: "revision = :revision",\n          ExpressionAttributeValues: { ":revision": revision },',
    'ConditionExpression: "revision = :revision OR revision > :revision",\n          ExpressionAttributeValues: { ":revision": revision },',
    { caughtBy: "a removal that arrives late" },
  ),
  mutant(
    "quorum off by one",
    QUORUM,
    'if (quorum === "majority") return Math.floor(n / 2) + 1;',
    'if (quorum === "majority") return Math.min(n, Math.floor(n / 2) + 2);',
  ),
  mutant(
    "up where down is possible",
    QUORUM,
    'if (up > n - q) return "up";',
    'if (up + degraded + down >= q || up > n - q) return "up";',
  ),
  mutant(
    "the end is told to nobody",
    INCIDENT,
    "if (!incident.announced) return",
    "if (incident.announced !== undefined) return",
  ),
  mutant(
    "down is told at every look",
    TELLING,
    "if (told?.event === status) return NOTHING;",
    "if (told?.event === status && incident.alertCount > 3) return NOTHING;",
  ),
  mutant("moments of the future count for afterSeconds", TELLING, "isBelievable(moment, now) ?", "moment ?", {
    caughtBy: "counts from the future",
  }),
  mutant("afterSeconds is nothing", TELLING, "+ afterSeconds * 1000 :", "+ 0 * afterSeconds :"),
  mutant(
    "a target that changed ends nothing",
    INCIDENT,
    "const isOther = incident.targetVersion !== target.version;",
    "const isOther = false;",
  ),
  mutant(
    "the end counts from now",
    INCIDENT,
    "at: latest(incident.startedAt, notAfter(at, now))",
    "at: now.toISOString()",
  ),
  ...MAILBOX_MUTANTS,
  ...CHANGE_MUTANTS,
  ...SWEEP_MUTANTS,
  ...CONDITION_MUTANTS,
  ...DEPENDENCY_MUTANTS,
  // Timers
  mutant(
    "an own timer is touched whatever it is by now",
    DUE,
    '"nextEvaluationAt = :seen", {',
    '"attribute_exists(pk) AND :seen = :seen", {',
    {
      lives: "a touch too many is a look too many, and changes nothing",
    },
  ),
  mutant(
    "a look is touched whatever it is by now",
    DUE,
    '"lookBy = :seen", {',
    '"attribute_exists(pk) AND :seen = :seen", {',
    {
      lives: "a touch too many is a look too many, and changes nothing",
    },
  ),
  // Settings
  mutant(
    "settings are stored over somebody else's",
    MONITORS,
    '"updatedAt = :read AND deletedAt = :null"',
    '"updatedAt >= :read AND deletedAt = :null"',
    {
      lives: "which of two changes at one moment wins is for nobody to say, as long as one of them does",
    },
  ),
  mutant(
    "a deleted monitor can be changed",
    MONITORS,
    '"updatedAt = :read AND deletedAt = :null"',
    '"updatedAt = :read AND (deletedAt = :null OR deletedAt <> :null)"',
    {
      lives: "a deletion reads and writes within milliseconds of the change that it would have to meet",
    },
  ),
  mutant(
    "a monitor is created over one that is there",
    MONITORS,
    'ConditionExpression: "attribute_not_exists(pk)"',
    'ConditionExpression: "attribute_not_exists(pk) OR attribute_exists(pk)"',
  ),
  mutant(
    "seats without end",
    SHARDS,
    "attribute_not_exists(members) OR members <= :room",
    "attribute_not_exists(members) OR members <= :room OR members > :room",
    {
      lives: "a shard of more than 250 members is slow, not wrong, at the size of these stories",
    },
  ),
  // Plans
  mutant(
    "the watermark is forgotten",
    DISPATCH,
    "ticksToPlan(shard, shard.planned[location], until, now())",
    "ticksToPlan(shard, undefined, until, now())",
  ),
  mutant(
    "the watermark moves although nothing was sent",
    DISPATCH,
    "const reached = own.filter(({ location }) => !missed.has(`$" + "{shard.name} $" + "{location}`));",
    "const reached = own;",
  ),
  mutant(
    "the watermark moves over another's",
    PLANNING,
    '"plannedUntil = :read"',
    '"plannedUntil = :read OR plannedUntil <> :read"',
    {
      lives: "two plans of one minute plan the same ticks, and a tick has one owner",
    },
  ),
  // History
  mutant(
    "a block replaces another's",
    HISTORY,
    "attribute_not_exists(pk) OR #run = :replaces",
    "attribute_not_exists(pk) OR attribute_exists(pk) OR #run = :replaces",
  ),
  mutant(
    "a late claim takes the place of its own block",
    HISTORY,
    '"(#run = :run AND attribute_not_exists(#data))"',
    '"#run = :run"',
  ),
  mutant(
    "the roster's order is lost",
    TICK,
    "const ids = [...entries.keys()].toSorted();",
    "const ids = [...entries.keys()].toSorted().toReversed();",
    {
      lives: "a roster says whose outcome stands where, in any order",
    },
  ),
  mutant(
    "compaction goes back",
    ARCHIVE,
    '"attribute_not_exists(#until) OR #until < :until"',
    '"attribute_not_exists(#until) OR #until <> :until"',
    {
      lives: "it moves back only where two runs meet within one shard's window; chunks are written again then",
    },
  ),
  mutant(
    "the watermark of compaction moves before its chunks",
    CHUNKS,
    "await inParallel(writes, WRITES_AT_ONCE, (some) => history.putChunks(some));",
    "if (Math.max(0, ...[]) === 0 && writes.length > 0) writes.pop(); await inParallel(writes, WRITES_AT_ONCE, (some) => history.putChunks(some));",
  ),
  mutant(
    "what was left undone of a batch is dropped",
    WRITE_ALL,
    "left = (UnprocessedItems?.[tableName] ?? []) as typeof left;",
    "left = []; void UnprocessedItems;",
  ),
  mutant(
    "keys that were not read are dropped",
    READ,
    "left = UnprocessedKeys?.[tableName]?.Keys ?? [];",
    "left = []; void UnprocessedKeys;",
    { caughtBy: "the read of a spot check is handed back" },
  ),
  mutant(
    "the reader reads what is compacted twice or not at all",
    READER,
    "place.from = Math.max(place.from, chunkedUntil.get(location) ?? 0);",
    "place.from = Math.max(place.from, (chunkedUntil.get(location) ?? 0) + 600);",
  ),
  mutant(
    "a day is made before a location's chunks",
    DAYS,
    "Math.min(...(chunked.get(shard)?.values() ?? [0]))",
    "Math.max(...(chunked.get(shard)?.values() ?? [0]))",
    {
      lives: "a location's chunks lag only where the run's time is over, and then it makes no days either",
    },
  ),
];
