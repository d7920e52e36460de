/** The mistakes that `mutants.ts` puts into mailboxes and their delivery. */
import { type Mutant, mutant } from "./mutant.ts";

const MAILBOX = "/shared/store/mailbox.ts";
const PASS = "/functions/deliver/pass.ts";
const RULES = "/shared/rules/mailbox.ts";

export const MAILBOX_MUTANTS: readonly Mutant[] = [
  mutant(
    "mail is posted over mail that is there",
    MAILBOX,
    'attribute_not_exists(pk)";\n      await unlessRaced(client.send(new PutCommand({ TableName: tableName, Item: item,',
    'attribute_not_exists(pk) OR attribute_exists(pk)";\n      await unlessRaced(client.send(new PutCommand({ TableName: tableName, Item: item,',
    { lives: "a post is repeated only after a fault, and a fault excuses a repetition; the crash test counts them" },
  ),
  mutant(
    "mail whose place is done already is passed over",
    MAILBOX,
    '!(await note("doneUntil = :place", "doneUntil > :place"))',
    '!(await note("doneUntil = doneUntil", "doneUntil > :place"))',
    { caughtBy: "after later mail was sent" },
  ),
  mutant(
    "a lease is taken from whoever has it",
    MAILBOX,
    '"attribute_exists(pk) AND attribute_not_exists(lease)"',
    '"attribute_exists(pk)"',
    { lives: "two processes would have to read a receiver within milliseconds; the test of passes has it" },
  ),
  mutant(
    "the lease of a dead process is taken by two",
    MAILBOX,
    '"lease.#token = :seen"',
    '"attribute_exists(lease.#token) AND :seen = :seen"',
    {
      lives: "two messages would have to come within milliseconds, 20 s after a death; the test of passes has it",
    },
  ),
  mutant(
    "a pass ends whatever was posted meanwhile",
    MAILBOX,
    '"revision = :revision AND lease.#token = :token"',
    '"(revision = :revision OR revision > :revision) AND lease.#token = :token"',
    { caughtBy: "while a pass ends" },
  ),
  mutant(
    "a pass ends although another process has the lease",
    MAILBOX,
    '"revision = :revision AND lease.#token = :token"',
    '"revision = :revision AND (lease.#token = :token OR lease.#token <> :token)"',
    { lives: "taking the lease changes the revision, which the same condition compares" },
  ),
  mutant(
    "a lease is given back although another process has it",
    MAILBOX,
    'ConditionExpression: "lease.#token = :token",',
    'ConditionExpression: "lease.#token = :token OR lease.#token <> :token",',
    { lives: "a lease is over for others 20 s later than its holder's last attempt began" },
  ),
  mutant(
    "an attempt is recorded whatever was recorded meanwhile",
    MAILBOX,
    '"#state = :waiting AND attempts = :read"',
    '"(#state = :waiting OR #state <> :waiting) AND (attempts = :read OR attempts <> :read)"',
    { lives: "while the lease holds, nobody else records; the condition is for clocks that differ by minutes" },
  ),
  mutant(
    "a lease never ends",
    PASS,
    "later?.lease && later.lease.token !== seen.lease.token ?",
    "later?.lease && later.lease.token ?",
    { caughtBy: "deliver is killed" },
  ),
  mutant("a lease is over at once", PASS, "await sleep(LEASE_MS);", "await sleep(LEASE_MS / LEASE_MS);"),
  mutant(
    "attempts begin after the lease",
    RULES,
    "now.getTime() + ATTEMPT_MS <= Date.parse(until)",
    "Number.isFinite(now.getTime() + ATTEMPT_MS + Date.parse(until))",
    { lives: "a pass that lasts so long is rare, and is followed by nobody else's; the test of passes counts" },
  ),
  mutant(
    "mail about one monitor is sent in any order",
    RULES,
    "own.toSorted((a, b) => a.sequence - b.sequence)",
    "own.toSorted((a, b) => b.sequence - a.sequence)",
    { caughtBy: "both come, in order" },
  ),
  mutant("no receiver is asked again", RULES, "answer.isPermanent) ||", "answer) ||"),
  mutant("a retry has no timer", MAILBOX, "nextEvaluationAt = :retryAt", "nextEvaluationAtOff = :retryAt", {
    caughtBy: "the job of a retry is lost",
  }),
  mutant(
    "a retry is not queued",
    PASS,
    "if (retryAt) await queueTimers([{ ...receiverKey(receiver), dueAt: retryAt }]);",
    "",
    {
      lives: "dispatch finds the receiver's timer within a minute",
    },
  ),
  mutant("a receiver that was touched is left alone", RULES, "state.lookBy !== null ||", "", {
    caughtBy: "the record of a receiver is given up",
  }),
];
