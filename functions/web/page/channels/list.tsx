/** Channels: the chats, pagers and phones that alerts go to, and whether they take them. */
import { useEffect, useState } from "preact/hooks";
import { call, type FieldError, get } from "../api.ts";
import { usePolling } from "../live.ts";
import type { Page } from "../model.ts";
import { Confirm } from "../parts/dialog.tsx";
import { errorsAt, Field } from "../parts/field.tsx";
import { Failed, FormFailed } from "../parts/notice.tsx";
import { SettingsForm } from "../parts/settings-form.tsx";
import { type Configurable, settingsFrom } from "../parts/settings-schema.ts";
import { mayWrite } from "../session.ts";

const POLL_MS = 30_000;

interface Kind extends Configurable {
  readonly name: string;
  readonly summary: string;
  readonly isSetUp: boolean;
  readonly needs: string | null;
}
interface Channel {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
}
interface Tested {
  readonly delivered: boolean;
  readonly messages: readonly { readonly delivered: boolean; readonly answer: string }[];
}

const SHOWN = ["name", "kind", "settings"];

const NewChannel = ({ kinds, done }: { readonly kinds: readonly Kind[]; readonly done: (made: Channel) => void }) => {
  const [name, setName] = useState("");
  const [kindName, setKindName] = useState("slack");
  const [settings, setSettings] = useState<Readonly<Record<string, string>>>({});
  const [variant, setVariant] = useState(0);
  const [failure, setFailure] = useState<unknown>(null);
  const kind = kinds.find((one) => one.name === kindName);
  const errors: readonly FieldError[] = (failure as { errors?: readonly FieldError[] } | null)?.errors ?? [];
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    try {
      const body = { name, kind: kindName, settings: kind ? settingsFrom(settings, kind, variant) : {} };
      const made = await call<Channel>("POST", "/v1/channels", { body });
      setName("");
      setSettings({});
      setFailure(null);
      done(made);
    } catch (error) {
      setFailure(error);
    }
  };
  return (
    <form class="card" onSubmit={(event) => void submit(event)} noValidate aria-label="New channel">
      <h2>New channel</h2>
      <div class="columns">
        <Field id="name" label="Name" errors={errorsAt(errors, "name")}>
          <input
            id="name"
            aria-describedby="name-help"
            autocomplete="off"
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </Field>
        <Field id="kind" label="Kind" help={kind?.summary ?? ""} errors={errorsAt(errors, "kind")}>
          <select
            id="kind"
            aria-describedby="kind-help"
            value={kindName}
            onChange={(event) => {
              setKindName(event.currentTarget.value);
              setSettings({});
              setVariant(0);
            }}
          >
            {kinds.map((one) => (
              <option key={one.name} value={one.name} disabled={!one.isSetUp}>
                {one.title}
                {one.isSetUp ? "" : ` (needs ${one.needs})`}
              </option>
            ))}
          </select>
        </Field>
      </div>
      {kind && (
        <SettingsForm
          of={kind}
          kind={variant}
          values={settings}
          errors={errors}
          chooseKind={(chosen) => {
            setVariant(chosen);
            setSettings({});
          }}
          change={(field, value) => setSettings({ ...settings, [field]: value })}
        />
      )}
      {failure !== null && <FormFailed failure={failure} shown={SHOWN} />}
      <button class="primary" type="submit">
        Create channel
      </button>
    </form>
  );
};

const Row = ({
  channel,
  title,
  changed,
}: {
  readonly channel: Channel;
  readonly title: string;
  readonly changed: () => void;
}) => {
  const [said, say] = useState("");
  const [failure, setFailure] = useState<unknown>(null);
  const [isDeleting, setDeleting] = useState(false);
  const run = async (work: () => Promise<void>) => {
    setFailure(null);
    try {
      await work();
    } catch (error) {
      setFailure(error);
    }
  };
  const test = () =>
    run(async () => {
      say("Sending…");
      const { delivered, messages } = await call<Tested>("POST", `/v1/channels/${channel.id}/test`);
      const refusal = messages.find((message) => !message.delivered);
      say(delivered ? "The test was taken." : `The test was not taken: ${refusal?.answer}`);
    });
  const remove = () =>
    run(async () => {
      setDeleting(false);
      await call("DELETE", `/v1/channels/${channel.id}`);
      changed();
    });
  return (
    <tr>
      <td dir="auto">{channel.name}</td>
      <td>{title}</td>
      <td>
        {mayWrite.value && (
          <span class="actions">
            <button type="button" onClick={() => void test()}>
              Send test
            </button>
            <button type="button" onClick={() => setDeleting(true)}>
              Delete…
            </button>
          </span>
        )}
        <span role="status" class="small">
          {said}
        </span>
        {failure !== null && <Failed failure={failure} />}
        {isDeleting && (
          <Confirm
            title={`Delete ${channel.name}?`}
            verb="Delete"
            confirm={() => void remove()}
            cancel={() => setDeleting(false)}
          >
            <p>It is still told the end of what it was told of, and nothing else.</p>
          </Confirm>
        )}
      </td>
    </tr>
  );
};

export const ChannelsPage = () => {
  const [channels, setChannels] = useState<readonly Channel[] | null>(null);
  const [kinds, setKinds] = useState<readonly Kind[]>([]);
  const [failure, setFailure] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  const refresh = () => setAttempt((before) => before + 1);
  useEffect(() => {
    get<Page<Kind>>("/v1/channel-kinds").then(({ items }) => setKinds(items), setFailure);
  }, []);
  usePolling(
    async (isPoll) => {
      try {
        setChannels((await get<Page<Channel>>("/v1/channels?limit=200", { isPoll })).items);
        setFailure(null);
      } catch (error) {
        setFailure(error);
        throw error;
      }
    },
    POLL_MS,
    [attempt],
  );
  const titleOf = (name: string) => kinds.find((kind) => kind.name === name)?.title ?? name;
  return (
    <main id="main">
      <div class="top">
        <h1 tabIndex={-1}>Channels</h1>
      </div>
      <p class="dim">Alert policies name channels in their steps; a channel that no policy names gets nothing.</p>
      {failure !== null && <Failed failure={failure} retry={refresh} />}
      {channels?.length === 0 && (
        <div class="empty">
          <p>
            <strong>No channels.</strong>
          </p>
          <p class="dim">Alerts go to mail addresses and to subscriptions until there are some.</p>
        </div>
      )}
      {channels && channels.length > 0 && (
        <div class="scrolled">
          <table>
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Kind</th>
                <th scope="col">What can be done</th>
              </tr>
            </thead>
            <tbody>
              {channels.map((channel) => (
                <Row key={channel.id} channel={channel} title={titleOf(channel.kind)} changed={refresh} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {mayWrite.value && kinds.length > 0 && <NewChannel kinds={kinds} done={refresh} />}
    </main>
  );
};
