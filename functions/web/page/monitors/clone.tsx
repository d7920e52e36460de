/** A new monitor made from another one, secrets and all. */
import { useEffect, useState } from "preact/hooks";
import { call, get } from "../api.ts";
import { useAction } from "../live.ts";
import type { Monitor } from "../model.ts";
import { mergePatch } from "../parts/merge-patch.ts";
import { Failed } from "../parts/notice.tsx";
import { go } from "../router.ts";
import { mayChangeMonitors } from "../session.ts";
import { type Draft, draftOf, monitorOf } from "./draft.ts";
import { MonitorForm } from "./form.tsx";
import { forgetOverview } from "./overview.ts";
import { loadProtocols, protocolNamed } from "./protocols.ts";

const bodyOf = (draft: Draft) => monitorOf(draft, protocolNamed(draft.protocol));

export const ClonePage = ({ id }: { readonly id: string }) => {
  const [answer, setAnswer] = useState<Monitor | null>(null);
  const { failure, run } = useAction();
  const load = () =>
    run(async () => {
      const [monitor] = await Promise.all([get<Monitor>(`/v1/monitors/${id}`), loadProtocols()]);
      setAnswer(monitor);
    });
  useEffect(load, [id]);
  // A key is of one monitor alone.
  const original = answer && draftOf({ ...answer, key: null }, protocolNamed(answer.protocol));
  const create = async (draft: Draft) => {
    const body = mergePatch(bodyOf(original!), bodyOf(draft)) ?? {};
    const made = await call<Monitor>("POST", `/v1/monitors?from=${id}`, { body });
    forgetOverview();
    go(`/monitors/${made.id}`);
  };
  return (
    <main id="main" class="form">
      <h1 tabIndex={-1} dir="auto">
        {answer ? `Clone ${answer.name}` : "Clone"}
      </h1>
      {failure !== null && <Failed failure={failure} retry={load} />}
      {!mayChangeMonitors.value && <p class="notice">Creating monitors needs a token with the scope deploy.</p>}
      {original && mayChangeMonitors.value && (
        <>
          <p class="dim">It gets all settings of the other one, also those that are not shown here.</p>
          <MonitorForm
            initial={{ ...original, name: `${original.name} (copy)`.slice(0, 100) }}
            verb="Create monitor"
            save={create}
          />
        </>
      )}
    </main>
  );
};
