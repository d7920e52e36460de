/** One channel: its settings, and what it was told. */

import type { Channel } from "../alerts-model.ts";
import { AlertsNav } from "../parts/alerts-nav.tsx";
import { Editing } from "../parts/editing.tsx";
import { go } from "../router.ts";
import { mayWrite } from "../session.ts";
import { kindNamed, loadKinds } from "./channels.ts";
import { Deliveries } from "./deliveries.tsx";
import { bodyOfChannel, ChannelForm } from "./form.tsx";
import { SendTest } from "./test.tsx";

export const ChannelPage = ({ id }: { readonly id: string }) => (
  <main id="main">
    <AlertsNav />
    <Editing<Channel>
      path={`/v1/channels/${id}`}
      noun="channel"
      titleOf={({ name }) => name}
      bodyOf={bodyOfChannel}
      prepare={loadKinds}
      done={() => go("/channels")}
    >
      {(channel, save) => (
        <>
          <p class="dim">{kindNamed(channel.kind)?.summary}</p>
          <ChannelForm channel={channel} save={save} />
        </>
      )}
    </Editing>
    {mayWrite.value && (
      <p class="actions">
        <SendTest id={id} />
      </p>
    )}
    <Deliveries id={id} />
  </main>
);
