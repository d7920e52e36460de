/** Who would be told of trouble with a monitor, when and why; and what depends on what. */
import { useEffect, useState } from "preact/hooks";
import type { Hearer } from "../alerts-model.ts";
import { get, getAll } from "../api.ts";
import { loadChannels } from "../channels/channels.ts";
import { useLoaded } from "../live.ts";
import type { Monitor, Page } from "../model.ts";
import { Failed } from "../parts/notice.tsx";
import { StatusMark } from "../parts/status.tsx";
import { groupsOf } from "./hearers.ts";
import { loadNames, nameOf, overview } from "./overview.ts";

const POLL_MS = 60_000;

const Why = ({ policy }: Pick<Hearer, "policy">) =>
  policy === null ? (
    <>By its own settings</>
  ) : (
    <>
      By the policy{" "}
      <a href={`/policies/${policy.id}`} dir="auto">
        {policy.name}
      </a>
      , which {policy.by === "name" ? "it names" : "takes it by its tags"}
    </>
  );

/** Only for those who may write, because it has the addresses of people. */
export const Hearers = ({ id }: { readonly id: string }) => {
  const {
    answer: found,
    failure,
    refresh,
  } = useLoaded(
    async (isPoll) => {
      const [hearers, channels] = await Promise.all([
        get<Page<Hearer>>(`/v1/monitors/${id}/receivers`, { isPoll }),
        loadChannels(isPoll),
      ]);
      return groupsOf(hearers.items, new Map(channels.map((channel) => [channel.id, channel.name])));
    },
    POLL_MS,
    [id],
  );
  return (
    <section aria-labelledby="hearers">
      <h2 id="hearers">Who would hear of this</h2>
      {failure !== null && <Failed failure={failure} retry={refresh} />}
      {found?.length === 0 && <p class="dim">Nobody.</p>}
      {found?.map(({ policy, steps, isDownOnly }) => (
        <div key={policy?.id ?? ""}>
          <Why policy={policy} />
          {isDownOnly && ", only when it is down"}:
          <ol class="steps">
            {steps.map((step) => (
              <li key={step} dir="auto">
                {step}
              </li>
            ))}
          </ol>
        </div>
      ))}
    </section>
  );
};

const MonitorLink = ({ id, name }: { readonly id: string; readonly name?: string }) => {
  const row = overview.value?.rows.get(id);
  return (
    <li>
      <a href={`/monitors/${id}`} dir="auto">
        {name ?? nameOf(id)}
      </a>{" "}
      {row && <StatusMark status={row.status} />}
    </li>
  );
};

const dependentsOf = async (id: string) => {
  const all = await getAll<Pick<Monitor, "id" | "name" | "dependsOn">>("/v1/monitors?fields=name,dependsOn&limit=200");
  return all.filter(({ dependsOn }) => dependsOn.includes(id));
};

/** What it depends on and what depends on it, and whose alerts are held back. */
export const Dependencies = ({ monitor: { id, dependsOn, incident } }: { readonly monitor: Monitor }) => {
  const [held, setHeld] = useState<readonly { readonly monitorId: string; readonly name: string }[]>([]);
  const [dependents, setDependents] = useState<readonly Pick<Monitor, "id" | "name">[] | null>(null);
  const [failure, fail] = useState<unknown>(null);
  useEffect(() => {
    if (dependsOn.length > 0) loadNames().catch(fail);
  }, [dependsOn.length]);
  useEffect(() => {
    if (!incident) setHeld([]);
    else getAll<(typeof held)[number]>(`/v1/incidents/${incident.id}/held?limit=200`).then(setHeld, fail);
  }, [incident?.id]);
  return (
    <section aria-labelledby="dependencies">
      <h2 id="dependencies">Dependencies</h2>
      {failure !== null && <Failed failure={failure} />}
      {dependsOn.length === 0 ? (
        <p class="dim">It depends on no other monitor.</p>
      ) : (
        <>
          <p>It depends on these; while all of them are down, nobody is told of it:</p>
          <ul class="plain-list links">
            {dependsOn.map((parent) => (
              <MonitorLink key={parent} id={parent} />
            ))}
          </ul>
        </>
      )}
      {held.length > 0 && (
        <>
          <p>Because of its incident, nobody is told of:</p>
          <ul class="plain-list links">
            {held.map(({ monitorId, name }) => (
              <MonitorLink key={monitorId} id={monitorId} name={name} />
            ))}
          </ul>
        </>
      )}
      {dependents === null ? (
        <p>
          <button type="button" class="plain" onClick={() => void dependentsOf(id).then(setDependents, fail)}>
            What depends on it?
          </button>
        </p>
      ) : (
        <>
          <p>{dependents.length === 0 ? "Nothing depends on it." : "These depend on it:"}</p>
          <ul class="plain-list links">
            {dependents.map((one) => (
              <MonitorLink key={one.id} id={one.id} name={one.name} />
            ))}
          </ul>
        </>
      )}
    </section>
  );
};
