/** Channels: the chats, pagers and phones that alerts go to, and whether they take them. */
import { useEffect, useState } from "preact/hooks";
import type { Channel, Delivery } from "../alerts-model.ts";
import { call, get } from "../api.ts";
import { useLoaded } from "../live.ts";
import type { Page } from "../model.ts";
import { AlertsNav } from "../parts/alerts-nav.tsx";
import { Delete } from "../parts/delete.tsx";
import { Empty } from "../parts/empty.tsx";
import { Loading } from "../parts/loading.tsx";
import { Failed } from "../parts/notice.tsx";
import { Ago } from "../parts/time.tsx";
import { Unheard } from "../parts/unheard.tsx";
import { mayWrite } from "../session.ts";
import { kindNamed, kinds, loadChannels, loadKinds } from "./channels.ts";
import { DELIVERY_WORDS } from "./deliveries.tsx";
import { ChannelForm } from "./form.tsx";
import { SendTest } from "./test.tsx";

const POLL_MS = 60_000;

interface Listed extends Channel {
  /** What it was told last; null: nothing in 30 days. */
  readonly last: Delivery | null;
}

const load = async (isPoll: boolean): Promise<readonly Listed[]> => {
  const listed: Listed[] = [];
  // One after the other, because all at once may be more than the gateway lets through.
  for (const channel of await loadChannels(isPoll)) {
    const { items } = await get<Page<Delivery>>(`/v1/channels/${channel.id}/deliveries?limit=1`, { isPoll });
    listed.push({ ...channel, last: items[0] ?? null });
  }
  return listed;
};

const Last = ({ last }: { readonly last: Delivery | null }) =>
  last === null ? (
    <span class="dim">nothing in 30 days</span>
  ) : (
    <>
      <span class={last.state === "undeliverable" ? "is-down" : ""}>
        {last.event}: {DELIVERY_WORDS[last.state]}
      </span>
      {", "}
      <Ago at={last.attemptedAt ?? last.createdAt} />
      {last.state !== "sent" && last.answer !== null && (
        <div class="small" dir="auto">
          {last.answer}
        </div>
      )}
    </>
  );

const Row = ({ channel, changed }: { readonly channel: Listed; readonly changed: () => void }) => (
  <tr>
    <td>
      <a href={`/channels/${channel.id}`} dir="auto">
        {channel.name}
      </a>
      <div class="dim small">{kindNamed(channel.kind)?.title ?? channel.kind}</div>
    </td>
    <td>
      <Last last={channel.last} />
    </td>
    {mayWrite.value && (
      <td>
        <div class="actions">
          <SendTest id={channel.id} />
          <Delete path={`/v1/channels/${channel.id}`} name={channel.name} force="?force=true" done={changed}>
            <p>It is still told the end of what it was told of, and nothing else.</p>
          </Delete>
        </div>
      </td>
    )}
  </tr>
);

export const ChannelsPage = () => {
  const { answer: found, failure, fail, refresh } = useLoaded(load, POLL_MS);
  const [made, setMade] = useState("");
  useEffect(() => void loadKinds().catch(fail), []);
  return (
    <main id="main">
      <AlertsNav />
      <div class="top">
        <h1 tabIndex={-1}>Channels</h1>
      </div>
      <p class="dim">
        Chats, pagers and phones. <a href="/policies">Policies</a> name them in their steps; a channel that no policy
        names gets nothing.
      </p>
      <Unheard version={found?.length} />
      {failure !== null && <Failed failure={failure} retry={refresh} />}
      {!found && failure === null && <Loading />}
      {found?.length === 0 && (
        <Empty title="No channels.">
          <p>Alerts go to mail addresses and to subscriptions until there are some.</p>
        </Empty>
      )}
      {found && found.length > 0 && (
        <div class="scrolled">
          <table class="managed">
            <thead>
              <tr>
                <th scope="col">Channel</th>
                <th scope="col">Told last</th>
                {mayWrite.value && <th scope="col">What can be done</th>}
              </tr>
            </thead>
            <tbody>
              {found.map((channel) => (
                <Row key={channel.id} channel={channel} changed={refresh} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <p class="unseen" role="status">
        {made}
      </p>
      {mayWrite.value && kinds.value.length > 0 && (
        <ChannelForm
          channel={null}
          save={async (body) => {
            const { name } = await call<Channel>("POST", "/v1/channels", { body });
            setMade(`${name} was created.`);
            refresh();
          }}
        />
      )}
    </main>
  );
};
