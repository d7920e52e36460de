/** A new monitor in eight steps: logged in (1), here (2), what kind (3), where (4, 5), when to alert (6), whom (7), create (8). */
import { call } from "../api.ts";
import { Permitted } from "../parts/notice.tsx";
import { go } from "../router.ts";
import { type Draft, EMPTY, monitorOf, withoutSecrets } from "./draft.ts";
import { MonitorForm } from "./form.tsx";
import { forgetOverview } from "./overview.ts";
import { protocolNamed } from "./protocols.ts";

const KEPT = "harborlight-draft";

/** What was written before a reload. */
const kept = (): Draft => {
  try {
    return { ...EMPTY, ...(JSON.parse(sessionStorage.getItem(KEPT) ?? "{}") as Partial<Draft>) };
  } catch {
    return EMPTY;
  }
};

const create = async (draft: Draft) => {
  const body = monitorOf(draft, protocolNamed(draft.protocol));
  const { id } = await call<{ readonly id: string }>("POST", "/v1/monitors", { body });
  sessionStorage.removeItem(KEPT);
  forgetOverview();
  go(`/monitors/${id}`);
};

export const GuidePage = () => (
  <main id="main" class="form">
    <h1 tabIndex={-1}>New monitor</h1>
    <Permitted what="Creating a monitor" scope="deploy">
      <MonitorForm
        initial={kept()}
        verb="Create monitor"
        save={create}
        keep={(draft) => sessionStorage.setItem(KEPT, JSON.stringify(withoutSecrets(draft)))}
      />
    </Permitted>
  </main>
);
