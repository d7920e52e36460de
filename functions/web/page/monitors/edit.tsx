/** Changes a monitor. */
import type { Monitor } from "../model.ts";
import { Editing } from "../parts/editing.tsx";
import { go } from "../router.ts";
import { draftOf, monitorOf } from "./draft.ts";
import { MonitorForm } from "./form.tsx";
import { forgetOverview } from "./overview.ts";
import { loadProtocols, protocolNamed } from "./protocols.ts";

const draftFor = (monitor: Monitor) => draftOf(monitor, protocolNamed(monitor.protocol));

export const EditPage = ({ id }: { readonly id: string }) => {
  const done = () => {
    forgetOverview();
    go(`/monitors/${id}`);
  };
  return (
    <main id="main" class="form">
      <Editing<Monitor>
        path={`/v1/monitors/${id}`}
        noun="monitor"
        scope="deploy"
        bodyOf={(monitor) => monitorOf(draftFor(monitor), protocolNamed(monitor.protocol))}
        prepare={loadProtocols}
        done={done}
      >
        {(monitor, save) => (
          <>
            <p class="dim">
              Another service, host or port makes it a new target: its views begin anew, and an open incident ends.
            </p>
            <MonitorForm
              initial={draftFor(monitor)}
              id={monitor.id}
              verb="Save"
              save={(draft) => save(monitorOf(draft, protocolNamed(draft.protocol)))}
            />
          </>
        )}
      </Editing>
    </main>
  );
};
