/** Changes a monitor: sends what was changed, and shows what somebody else changed meanwhile. */
import { useEffect, useState } from "preact/hooks";
import { CallFailure, call, get } from "../api.ts";
import type { Monitor } from "../model.ts";
import { Failed } from "../parts/notice.tsx";
import { go } from "../router.ts";
import { mayChangeMonitors } from "../session.ts";
import { when } from "../words.ts";
import { type Draft, draftOf, mergePatch, monitorOf } from "./draft.ts";
import { MonitorForm } from "./form.tsx";
import { forgetOverview } from "./overview.ts";
import { loadProtocols, protocolNamed } from "./protocols.ts";

const draftFor = (monitor: Monitor) => draftOf(monitor, protocolNamed(monitor.protocol));
const bodyOf = (draft: Draft): Record<string, unknown> => monitorOf(draft, protocolNamed(draft.protocol));

/** Both versions, field by field. */
const Conflict = ({
  base,
  newest,
  takeNewest,
  keepMine,
}: {
  readonly base: Monitor;
  readonly newest: Monitor;
  readonly takeNewest: () => void;
  readonly keepMine: () => void;
}) => {
  const [before, after] = [bodyOf(draftFor(base)), bodyOf(draftFor(newest))];
  const changed = Object.keys(mergePatch(before, after) ?? {});
  return (
    <section class="notice" role="alert" aria-label="Changed meanwhile">
      <p>
        {newest.updatedBy?.name ?? "Somebody"} changed this monitor at {when(newest.updatedAt)}. Yours was not stored.
      </p>
      {changed.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Was</th>
              <th scope="col">Is now</th>
            </tr>
          </thead>
          <tbody>
            {changed.map((name) => (
              <tr key={name}>
                <td>{name}</td>
                <td>{JSON.stringify(before[name])}</td>
                <td>{JSON.stringify(after[name])}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <p class="actions">
        <button type="button" onClick={keepMine}>
          Store my changes as well
        </button>
        <button type="button" onClick={takeNewest}>
          Drop mine
        </button>
      </p>
    </section>
  );
};

export const EditPage = ({ id }: { readonly id: string }) => {
  const [monitor, setMonitor] = useState<Monitor | null>(null);
  const [newest, setNewest] = useState<{ readonly monitor: Monitor; readonly draft: Draft } | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const read = () => get<Monitor>(`/v1/monitors/${id}`);
  const load = async () => {
    setFailure(null);
    try {
      const [found] = await Promise.all([read(), loadProtocols()]);
      setMonitor(found);
      setNewest(null);
    } catch (error) {
      setFailure(error);
    }
  };
  useEffect(() => void load(), [id]);

  const store = async (base: Monitor, draft: Draft, etag: string) => {
    const body = mergePatch(bodyOf(draftFor(base)), bodyOf(draft));
    if (body) {
      await call("PATCH", `/v1/monitors/${id}`, { body, headers: { "if-match": etag } });
      forgetOverview();
    }
    go(`/monitors/${id}`);
  };
  const save = async (draft: Draft) => {
    try {
      await store(monitor!, draft, monitor!.etag);
    } catch (error) {
      if (!(error instanceof CallFailure) || error.status !== 412) throw error;
      setNewest({ monitor: await read(), draft });
    }
  };
  const keepMine = async () => {
    try {
      await store(monitor!, newest!.draft, newest!.monitor.etag);
    } catch (error) {
      setFailure(error);
    }
  };

  return (
    <main id="main" class="form">
      <h1 tabIndex={-1} dir="auto">
        {monitor ? `Edit ${monitor.name}` : "Edit"}
      </h1>
      {failure !== null && <Failed failure={failure} retry={() => void load()} />}
      {!mayChangeMonitors.value && <p class="notice">Changing monitors needs a token with the scope deploy.</p>}
      {monitor && mayChangeMonitors.value && (
        <>
          <p class="dim">
            Another service, host or port makes it a new target: its views begin anew, and an open incident ends.
          </p>
          <MonitorForm key={monitor.etag} initial={draftFor(monitor)} verb="Save" save={save} />
          {newest && (
            <Conflict
              base={monitor}
              newest={newest.monitor}
              takeNewest={() => void load()}
              keepMine={() => void keepMine()}
            />
          )}
        </>
      )}
    </main>
  );
};
