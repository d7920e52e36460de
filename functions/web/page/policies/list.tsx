/** Alert policies: who is told of trouble, and when, in words. */
import type { Channel, Policy } from "../alerts-model.ts";
import { getAll } from "../api.ts";
import { loadChannels } from "../channels/channels.ts";
import { useLoaded } from "../live.ts";
import { AlertsNav } from "../parts/alerts-nav.tsx";
import { Delete } from "../parts/delete.tsx";
import { Empty } from "../parts/empty.tsx";
import { Loading } from "../parts/loading.tsx";
import { Failed } from "../parts/notice.tsx";
import { Unheard } from "../parts/unheard.tsx";
import { mayWrite } from "../session.ts";
import { habitsInWords, type Names, scopeInWords, stepsInWords } from "./policy.ts";

const POLL_MS = 30_000;

/** What a policy does, as sentences. */
export const PolicyInWords = ({ policy, names }: { readonly policy: Policy; readonly names: Names }) => (
  <>
    <ol class="steps">
      {stepsInWords(policy, names).map((step) => (
        <li key={step} dir="auto">
          {step}
        </li>
      ))}
    </ol>
    <p class="dim small" dir="auto">
      {scopeInWords(policy)} {habitsInWords(policy)}
    </p>
  </>
);

/** Policies, and the channels that their steps name. */
export interface Known {
  readonly policies: readonly Policy[];
  readonly channels: readonly Channel[];
  readonly names: Names;
}

export const loadPolicies = async (isPoll: boolean): Promise<Known> => {
  const [policies, channels] = await Promise.all([getAll<Policy>("/v1/policies", { isPoll }), loadChannels(isPoll)]);
  return { policies, channels, names: new Map(channels.map(({ id, name }) => [id, name])) };
};

export const PoliciesPage = () => {
  const { answer: found, failure, refresh } = useLoaded(loadPolicies, POLL_MS);
  return (
    <main id="main">
      <AlertsNav />
      <div class="top">
        <h1 tabIndex={-1}>Alert policies</h1>
        {mayWrite.value && (
          <a class="button primary end" href="/policies/new">
            New policy
          </a>
        )}
      </div>
      <Unheard version={found?.policies.length} />
      {failure !== null && <Failed failure={failure} retry={refresh} />}
      {!found && failure === null && <Loading />}
      {found?.policies.length === 0 && (
        <Empty title="No policies.">
          <p>
            Until there are some, a monitor tells its own mail addresses and the{" "}
            <a href="/subscriptions">subscriptions</a>. A policy adds steps: first mail, later a pager.
          </p>
        </Empty>
      )}
      {found?.policies.map((policy) => (
        <section key={policy.id} class="card" aria-labelledby={policy.id}>
          <div class="top">
            <h2 id={policy.id} dir="auto">
              {policy.name}
            </h2>
            {mayWrite.value && (
              <div class="actions end">
                <a class="button" href={`/policies/${policy.id}`}>
                  Edit
                </a>
                <Delete path={`/v1/policies/${policy.id}`} name={policy.name} done={refresh}>
                  <p>
                    Monitors that name it go on without it. Those that no other policy takes tell the subscriptions
                    again.
                  </p>
                </Delete>
              </div>
            )}
          </div>
          <PolicyInWords policy={policy} names={found.names} />
        </section>
      ))}
    </main>
  );
};
