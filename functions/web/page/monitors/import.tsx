/** Export of monitors as a file, and import of such a file: what it would change is shown before it is applied. */
import { useState } from "preact/hooks";
import { CallFailure, call, get } from "../api.ts";
import { useAction } from "../live.ts";
import { Dialog } from "../parts/dialog.tsx";
import { saveFile } from "../parts/files.ts";
import { Failed } from "../parts/notice.tsx";
import { plural } from "../words.ts";
import { forgetOverview } from "./overview.ts";

interface List {
  readonly monitors: readonly unknown[];
}
type Named = readonly { readonly key: string }[];
interface Applied {
  readonly created: Named;
  readonly updated: Named;
  readonly unchanged: Named;
  readonly deleted: Named;
  readonly remaining: Named;
}

const read = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`The file is not JSON: ${(error as Error).message}`);
  }
};

/** Each line names what happens to how many, and to which. */
const Plan = ({ plan }: { readonly plan: Applied }) => (
  <ul>
    {(["created", "updated", "unchanged", "deleted"] as const).map((what) => (
      <li key={what}>
        {plan[what].length} {what}
        {plan[what].length > 0 && what !== "unchanged" && (
          <span class="dim small">
            {": "}
            {plan[what]
              .slice(0, 20)
              .map(({ key }) => key)
              .join(", ")}
            {plan[what].length > 20 && " …"}
          </span>
        )}
      </li>
    ))}
  </ul>
);

const WrongList = ({ failure }: { readonly failure: unknown }) =>
  failure instanceof CallFailure && failure.errors.length > 0 ? (
    <div class="notice scrolled-down" role="alert">
      <p>Nothing was stored. In the file:</p>
      {failure.errors.map(({ path, message }) => (
        <p key={path}>
          <code>{path}</code> {message}
        </p>
      ))}
    </div>
  ) : (
    <Failed failure={failure} />
  );

export const ImportDialog = ({ total, close }: { readonly total: number; readonly close: () => void }) => {
  const [file, setFile] = useState<unknown>(null);
  const [prunes, setPrunes] = useState(false);
  const [plan, setPlan] = useState<Applied | null>(null);
  const [said, say] = useState("");
  const { failure, isBusy, run } = useAction();
  const put = (body: unknown, dryRun: boolean, prune: boolean) =>
    call<Applied>(
      "PUT",
      `/v1/monitors?${new URLSearchParams({ ...(dryRun && { dryRun: "true" }), ...(prune && { prune: "true" }) })}`,
      { body },
    );
  const look = (body: unknown, prune: boolean) => {
    setPlan(null);
    setPrunes(prune);
    run(async () => setPlan(await put(body, true, prune)));
  };
  const choose = (chosen: File | undefined) => {
    setPlan(null);
    setFile(null);
    say("");
    if (chosen)
      run(async () => {
        const body = read(await chosen.text());
        setFile(body);
        setPlan(await put(body, true, prunes));
      });
  };
  const apply = () =>
    run(async () => {
      let done = await put(file, false, prunes);
      // Each call does as much as its time allows.
      while (done.remaining.length > 0) done = await put(file, false, prunes);
      forgetOverview();
      setPlan(null);
      say("The monitors are now as the file says.");
    });
  const download = () =>
    run(async () => {
      const list = await get<List>("/v1/monitors/export");
      saveFile("monitors.json", "application/json", `${JSON.stringify(list, null, 2)}\n`);
      say(`${list.monitors.length} of ${plural(total, "monitor")} are in the file.`);
    });
  const changes = plan ? plan.created.length + plan.updated.length + plan.deleted.length : 0;
  return (
    <Dialog title="Export and import" close={close} isWide>
      <p>
        A file names each monitor by its <code>key</code>, which the API and such a file set. Monitors without a key are
        neither exported nor touched.
      </p>
      <p class="actions">
        <button type="button" disabled={isBusy} onClick={download} autofocus>
          Export
        </button>
      </p>
      <label class="field">
        <span>Import a file (JSON)</span>
        <input
          type="file"
          accept=".json,application/json"
          onChange={(event) => choose(event.currentTarget.files?.[0])}
        />
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={prunes}
          onChange={(event) =>
            file === null ? setPrunes(event.currentTarget.checked) : look(file, event.currentTarget.checked)
          }
        />{" "}
        Delete monitors with a key that are not in the file
      </label>
      {plan && <Plan plan={plan} />}
      {failure !== null && <WrongList failure={failure} />}
      <p class="actions">
        {plan && (
          <button
            type="button"
            class={plan.deleted.length > 0 ? "danger" : "primary"}
            disabled={isBusy || changes === 0}
            onClick={apply}
          >
            {changes === 0 ? "Nothing to change" : `Apply ${plural(changes, "change")}`}
          </button>
        )}
        <button type="button" onClick={close}>
          Close
        </button>
        <span role="status">{said}</span>
      </p>
    </Dialog>
  );
};
