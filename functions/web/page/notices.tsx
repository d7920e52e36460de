/** Bars under the header: what a reader must know before believing what the page shows. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { contact, get } from "./api.ts";
import { now } from "./live.ts";
import type { Session } from "./model.ts";
import { logOut, session } from "./session.ts";
import { isOutdated, troubledLocations } from "./standing.ts";
import { atClock } from "./words.ts";

const SOON_MS = 15 * 60_000;

const Bar = ({ children }: { readonly children: ComponentChildren }) => (
  <div class="bar-notice" role="status">
    {children}
  </div>
);

const SessionEndsSoon = ({ at }: { readonly at: string }) => {
  const [hasTried, setTried] = useState(false);
  const stay = async () => {
    // A call that is no poll extends the session.
    session.value = await get<Session>("/v1/session");
    setTried(true);
  };
  return (
    <Bar>
      Your session ends at {atClock(at)}
      {hasTried ? ", when your token expires. " : ". "}
      {hasTried ? (
        <button type="button" class="plain" onClick={() => void logOut()}>
          Log in with another token
        </button>
      ) : (
        <button type="button" class="plain" onClick={() => void stay().catch(() => {})}>
          Stay logged in
        </button>
      )}
    </Bar>
  );
};

export const Notices = () => {
  const { isLost, lastAt } = contact.value;
  const ends = session.value?.expiresAt;
  return (
    <>
      {isLost && <Bar>No contact since {atClock(lastAt)}, trying again. What you see is as old as that.</Bar>}
      {troubledLocations.value.map(({ name, condition, silentSince, offlineSince }) => (
        <Bar key={name}>
          <span class="is-down">
            Location <a href="/locations">{name}</a> is {condition} since{" "}
            {atClock(silentSince ?? offlineSince ?? now.value)}:
          </span>{" "}
          its checks do not count.
        </Bar>
      ))}
      {ends && Date.parse(ends) - now.value < SOON_MS && <SessionEndsSoon at={ends} />}
      {isOutdated.value && (
        <Bar>
          There is a newer version of this page.{" "}
          <button type="button" class="plain" onClick={() => location.reload()}>
            Reload
          </button>
        </Bar>
      )}
    </>
  );
};
