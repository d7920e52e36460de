/** Says what one action would do to many monitors before it is done, and then for which it failed and why. */
import { useEffect, useState } from "preact/hooks";
import { call } from "../api.ts";
import { useAction } from "../live.ts";
import type { Row } from "../model.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Failed } from "../parts/notice.tsx";
import { plural } from "../words.ts";
import type { MonitorPatch } from "./bulk-form.tsx";
import { forgetOverview } from "./overview.ts";

export type BulkAction = "update" | "pause" | "resume" | "check" | "delete";

interface BulkResult {
  readonly done: readonly { readonly id: string; readonly changes: Readonly<Record<string, unknown>> }[];
  readonly failed: readonly { readonly id: string; readonly detail: string }[];
  readonly remaining: readonly string[];
}

const VERBS: Readonly<Record<BulkAction, readonly [verb: string, past: string]>> = {
  update: ["Change", "changed"],
  pause: ["Pause", "paused"],
  resume: ["Resume", "resumed"],
  check: ["Check", "being checked"],
  delete: ["Delete", "deleted"],
};
/** From so many on, whoever deletes has to type their number. */
const MANY = 10;

const send = (body: object) => call<BulkResult>("POST", "/v1/monitors/bulk", { body });

/** Does it for all, however many calls that takes. */
const runAll = async (body: object, ids: readonly string[], tell: (doneSoFar: number) => void): Promise<BulkResult> => {
  let total: BulkResult = { done: [], failed: [], remaining: ids };
  while (total.remaining.length > 0) {
    const { done, failed, remaining } = await send({ ...body, ids: total.remaining });
    total = { done: [...total.done, ...done], failed: [...total.failed, ...failed], remaining };
    tell(total.done.length);
  }
  return total;
};

const Failures = ({ failed, rows }: Pick<BulkResult, "failed"> & { readonly rows: readonly Row[] }) => {
  const names = new Map(rows.map(({ id, name }) => [id, name]));
  return (
    <div class="notice scrolled-down" role="alert">
      {failed.map(({ id, detail }) => (
        <p key={id}>
          <strong dir="auto">{names.get(id) ?? id}</strong>: {detail}
        </p>
      ))}
    </div>
  );
};

/** How many would change, how many are so already, and for which it is not possible. */
interface Plan {
  readonly count: number;
  readonly alike: number;
  readonly failed: BulkResult["failed"];
}

const HAVE_CHANGES: ReadonlySet<BulkAction> = new Set(["update", "pause", "resume"]);
const planOf = (action: BulkAction, { done, failed }: BulkResult): Plan => {
  const isChanged = ({ changes }: BulkResult["done"][number]) => Object.keys(changes).length > 0;
  const count = HAVE_CHANGES.has(action) ? done.filter(isChanged).length : done.length;
  return { count, alike: done.length - count, failed };
};

const Planned = ({
  plan,
  past,
  rows,
}: {
  readonly plan: Plan;
  readonly past: string;
  readonly rows: readonly Row[];
}) => {
  const { count, alike, failed } = plan;
  return (
    <>
      <p>
        {count === 0 ? "Nothing is to be done." : `${plural(count, "monitor")} will be ${past}.`}
        {alike > 0 && ` ${alike} of them ${alike === 1 ? "is" : "are"} like that already.`}
        {failed.length > 0 && ` For ${failed.length} it is not possible:`}
      </p>
      {failed.length > 0 && <Failures failed={failed} rows={rows} />}
    </>
  );
};

interface BulkDialogProps {
  readonly rows: readonly Row[];
  readonly action: BulkAction;
  readonly change?: MonitorPatch;
  readonly done: (words: string) => void;
  readonly cancel: () => void;
}

export const BulkDialog = ({ rows, action, change, done, cancel }: BulkDialogProps) => {
  // What was selected when the dialog opened: rows that are deleted leave the list.
  const [meant] = useState(rows);
  const ids = meant.map(({ id }) => id);
  const body = { action, ...(change && { change }) };
  const [plan, setPlan] = useState<Plan | null>(null);
  const [result, setResult] = useState<BulkResult | null>(null);
  const [typed, setTyped] = useState("");
  const [progress, setProgress] = useState(0);
  const { failure, isBusy, run } = useAction();
  const [verb, past] = VERBS[action];
  useEffect(() => run(async () => setPlan(planOf(action, await send({ ...body, ids, dryRun: true })))), []);
  const act = (event: SubmitEvent) => {
    event.preventDefault();
    run(async () => {
      const outcome = await runAll(body, ids, setProgress);
      forgetOverview();
      if (outcome.failed.length === 0) done(`${plural(outcome.done.length, "monitor")} ${past}.`);
      else setResult(outcome);
    });
  };
  if (result)
    return (
      // Another dialog, so that the focus moves into it.
      <Dialog key="result" title={`${verb} ${plural(meant.length, "monitor")}`} close={cancel}>
        <p>
          {plural(result.done.length, "monitor is", "monitors are")} {past}. {result.failed.length} failed:
        </p>
        <Failures failed={result.failed} rows={meant} />
        <p class="actions">
          <button type="button" onClick={cancel} autofocus>
            Close
          </button>
        </p>
      </Dialog>
    );
  const count = plan?.count ?? 0;
  const needsNumber = action === "delete" && count >= MANY;
  return (
    <Dialog title={`${verb} ${plural(meant.length, "monitor")}`} close={cancel}>
      <form onSubmit={act}>
        {!plan && failure === null && <p class="dim">Looking what would happen…</p>}
        {plan && !isBusy && <Planned plan={plan} past={past} rows={meant} />}
        {plan && isBusy && (
          <p role="status">
            {progress} of {meant.length} done…
          </p>
        )}
        {action === "delete" && count > 0 && (
          <p>Checks and alerts end. Their history stays readable until it expires.</p>
        )}
        {needsNumber && (
          <label class="field">
            <span>Type {count} to confirm</span>
            <input
              inputmode="numeric"
              autocomplete="off"
              value={typed}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          </label>
        )}
        {failure !== null && <Failed failure={failure} />}
        <p class="actions">
          <button
            type="submit"
            class={action === "delete" ? "danger" : "primary"}
            disabled={isBusy || count === 0 || (needsNumber && typed.trim() !== String(count))}
          >
            {verb} {count}
          </button>
          <button type="button" onClick={cancel} autofocus>
            Cancel
          </button>
        </p>
      </form>
    </Dialog>
  );
};
