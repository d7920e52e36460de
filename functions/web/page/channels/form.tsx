/** The form of a channel: its name, what it sends to, and the settings of that. */
import { useState } from "preact/hooks";
import type { Channel } from "../alerts-model.ts";
import { ChoiceField, errorsAt, TextField } from "../parts/field.tsx";
import { Form } from "../parts/form.tsx";
import type { Json } from "../parts/merge-patch.ts";
import { SettingsForm } from "../parts/settings-form.tsx";
import { settingsFrom, textsOf, variantOf } from "../parts/settings-schema.ts";
import { kindNamed, kinds } from "./channels.ts";

const SHOWN = ["name", "kind", "settings"];
/** How the API shows a secret. */
const HIDDEN = "(hidden)";

interface ChannelDraft {
  readonly name: string;
  readonly kind: string;
  readonly variant: number;
  readonly settings: Readonly<Record<string, string>>;
}

const EMPTY: ChannelDraft = { name: "", kind: "slack", variant: 0, settings: {} };

/** Secrets are never shown: their fields are empty, and leave them as they are. */
const draftOf = ({ name, kind, settings }: Channel): ChannelDraft => ({
  name,
  kind,
  variant: variantOf(settings, kindNamed(kind)),
  settings: textsOf(Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== HIDDEN))),
});

const bodyOfDraft = ({ name, kind, variant, settings }: ChannelDraft): Json => {
  const of = kindNamed(kind);
  return { name: name.trim(), kind, settings: of ? settingsFrom(settings, of, variant) : {} };
};

/** What the form says of a channel while nothing is changed. */
export const bodyOfChannel = (channel: Channel) => bodyOfDraft(draftOf(channel));

interface ChannelFormProps {
  /** The one that is changed; null for a new one. */
  readonly channel: Channel | null;
  readonly save: (body: Json) => Promise<void>;
}

export const ChannelForm = ({ channel, save }: ChannelFormProps) => {
  const [draft, setDraft] = useState(channel ? draftOf(channel) : EMPTY);
  const change = (part: Partial<ChannelDraft>) => setDraft((before) => ({ ...before, ...part }));
  const kind = kindNamed(draft.kind);
  const kept = Object.entries(channel?.settings ?? {}).flatMap(([name, value]) => (value === HIDDEN ? [name] : []));
  const submit = async () => {
    await save(bodyOfDraft(draft));
    if (!channel) setDraft({ ...EMPTY, kind: draft.kind });
  };
  return (
    <Form
      class="card"
      label={channel ? "Settings" : "New channel"}
      verb={channel ? "Save" : "Create channel"}
      shown={SHOWN}
      save={submit}
    >
      {(errors) => (
        <>
          <h2>{channel ? "Settings" : "New channel"}</h2>
          <div class="columns">
            <TextField
              id="name"
              label="Name"
              errors={errorsAt(errors, "name")}
              value={draft.name}
              change={(name) => change({ name })}
            />
            {channel === null && (
              <ChoiceField
                id="kind"
                label="Kind"
                help={kind?.needs && !kind.isSetUp ? `Off in this deployment: needs ${kind.needs}.` : kind?.summary}
                errors={errorsAt(errors, "kind")}
                options={kinds.value.map(({ name }) => name)}
                words={(name) => kindNamed(name)?.title ?? name}
                value={draft.kind}
                change={(chosen) => change({ kind: chosen, variant: 0, settings: {} })}
              />
            )}
          </div>
          {kind && (
            <SettingsForm
              of={kind}
              kind={draft.variant}
              values={draft.settings}
              kept={kept}
              errors={errors}
              chooseKind={(variant) => change({ variant, settings: {} })}
              change={(name, value) => change({ settings: { ...draft.settings, [name]: value } })}
            />
          )}
        </>
      )}
    </Form>
  );
};
