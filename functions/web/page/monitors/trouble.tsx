/** What is wrong with a monitor, who says so, who has taken it on, and whether people are told at all. */
import type { Monitor } from "../model.ts";
import { mayWrite } from "../session.ts";
import { lasting, plural, when } from "../words.ts";

type Facts = Readonly<Record<string, unknown>>;

/** Names and texts; facts within a fact, such as those of TLS, stand as `tls version`. */
const linesOf = (facts: Facts, before = ""): readonly (readonly [string, string])[] =>
  Object.entries(facts).flatMap(([name, value]) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? linesOf(value as Facts, `${before}${name} `)
      : [[before + name, typeof value === "string" ? value : JSON.stringify(value)] as const],
  );

/** What a check saw in detail, folded. */
export const Evidence = ({ evidence }: { readonly evidence: Facts }) =>
  Object.keys(evidence).length === 0 ? null : (
    <details>
      <summary class="dim small">Evidence</summary>
      <dl class="facts small">
        {linesOf(evidence).map(([name, value]) => (
          <>
            <dt key={name}>{name}</dt>
            <dd dir="auto">{value}</dd>
          </>
        ))}
      </dl>
    </details>
  );

/** Does something by one call, says so and shows what came of it. */
export type Act = (path: string, body: unknown, done: string) => void;

const SILENCE_SECONDS = 2 * 3_600;

/** Whether people are told of trouble: maintenance, flapping, nobody to tell. */
export const Silence = ({ monitor, act }: { readonly monitor: Monitor; readonly act: Act }) => {
  const { id, name, maintenance, flappingSince, reachesNobody } = monitor;
  const silence = {
    name: `Silence ${name}`.slice(0, 100),
    monitorIds: [id],
    schedule: { kind: "once", durationSeconds: SILENCE_SECONDS },
  };
  return (
    <>
      {maintenance && (
        <p class="notice calm">
          <a href="/maintenance">In maintenance until {when(maintenance.until)}</a>: nobody is told of trouble.{" "}
          {mayWrite.value && (
            <button
              type="button"
              class="plain"
              onClick={() =>
                act(`/v1/maintenance-windows/${maintenance.windowId}/end`, undefined, "Maintenance has ended.")
              }
            >
              End it now
            </button>
          )}
        </p>
      )}
      {flappingSince && (
        <p class="notice calm">It has been flapping since {when(flappingSince)}: people are not told of each change.</p>
      )}
      {reachesNobody && <p class="notice">Nobody is told of this monitor: no address, channel or subscription is.</p>}
      {!maintenance && mayWrite.value && (
        <p class="small" style={{ margin: "0 0 .6rem" }}>
          <button
            type="button"
            class="plain"
            onClick={() => act("/v1/maintenance-windows", silence, `Silent for ${lasting(SILENCE_SECONDS)}.`)}
          >
            Silence it for {lasting(SILENCE_SECONDS)}
          </button>{" "}
          or <a href={`/maintenance/new?monitor=${id}`}>plan maintenance</a>
        </p>
      )}
    </>
  );
};

/** What is wrong, and who says so. */
export const Trouble = ({ monitor, act }: { readonly monitor: Monitor; readonly act: Act }) => {
  const { incident, views } = monitor;
  if (!incident) return null;
  const seen = Object.entries(views);
  const agree = seen.filter(([, { health }]) => health === "down" || health === "degraded");
  const evidence = agree.find(([, { reason }]) => reason === incident.reason)?.[1].evidence ?? {};
  return (
    <section class={`card trouble ${incident.severity === "degraded" ? "is-slow" : ""}`} aria-label="Open incident">
      <h2>
        {incident.severity === "down" ? "Down" : "Degraded"} since {when(incident.startedAt)}
      </h2>
      <p style={{ margin: 0 }} dir="auto">
        {incident.message}
      </p>
      <p class="dim small" style={{ margin: ".2rem 0 0" }}>
        Seen by {agree.length} of {plural(seen.length, "location")}
        {incident.reason !== null && (
          <>
            , reason <code>{incident.reason}</code>
          </>
        )}
        .
      </p>
      <Evidence evidence={evidence} />
      {incident.heldBy.length > 0 && (
        <p style={{ margin: ".5rem 0 0" }}>
          Nobody is told of it, because what it depends on is down:{" "}
          {incident.heldBy.map(({ incidentId }, index) => (
            <span key={incidentId}>
              {index > 0 && ", "}
              <a href={`/incidents/${incidentId}`}>incident {index + 1}</a>
            </span>
          ))}
        </p>
      )}
      {incident.acknowledged ? (
        <p style={{ margin: ".5rem 0 0" }}>
          <strong>{incident.acknowledged.by}</strong> has taken it on at {when(incident.acknowledged.at)}.{" "}
          {incident.acknowledged.note}
        </p>
      ) : (
        mayWrite.value && (
          <p style={{ margin: ".6rem 0 0" }}>
            <button
              type="button"
              onClick={() => act(`/v1/incidents/${incident.id}/acknowledge`, {}, "You have taken it on.")}
            >
              Acknowledge
            </button>
          </p>
        )
      )}
    </section>
  );
};
