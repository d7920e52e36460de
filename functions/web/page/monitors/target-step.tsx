/** What is watched: host, service, port and the service's settings. */
import { useState } from "preact/hooks";
import type { FieldError } from "../api.ts";
import { errorsAt, Field } from "../parts/field.tsx";
import { SettingsForm } from "../parts/settings-form.tsx";
import type { Draft } from "./draft.ts";
import { loadProtocols, protocols, usualFor } from "./protocols.ts";
import { takeApart } from "./target-text.ts";

export interface StepProps {
  readonly draft: Draft;
  readonly change: (change: Partial<Draft>) => void;
  readonly errors: readonly FieldError[];
}

/** What a URL or `host:port` in the field of the host says of the target; undefined for nothing but a host. */
export const partsOf = async (text: string) => {
  // Which schemes of URLs are protocols is known once they are loaded.
  await loadProtocols().catch(() => {});
  const found = takeApart(text, new Set(protocols.peek().map(({ name }) => name)));
  if (!found) return undefined;
  const { host, port, protocol, path } = found;
  const change: Partial<Draft> = {
    host,
    ...(port !== undefined && { port: String(port) }),
    ...(protocol && { protocol, kind: 0, settings: path ? { path } : {} }),
  };
  const words = [protocol, host, port !== undefined && `port ${port}`, path && `path ${path}`].filter(Boolean);
  return { change, words: words.join(", ") };
};

export const Target = ({ draft, change, errors }: StepProps) => {
  const [note, setNote] = useState("");
  const protocol = protocols.value.find(({ name }) => name === draft.protocol);
  const port = Number(draft.port) || protocol?.defaultPort;
  const usual = port ? usualFor(port) : [];
  const others = usual.some(({ name }) => name === draft.protocol) ? [] : usual;
  const readHost = async (text: string) => {
    change({ host: text });
    const found = await partsOf(text);
    if (!found) return;
    change(found.change);
    setNote(`Taken apart: ${found.words}.`);
  };
  return (
    <fieldset class="card">
      <legend>Where</legend>
      <Field
        id="host"
        label="Host name or IP address"
        help={note || "A pasted URL, or host:port, is taken apart."}
        errors={errorsAt(errors, "host")}
      >
        <input
          id="host"
          aria-describedby="host-help"
          value={draft.host}
          required
          autofocus
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => change({ host: event.currentTarget.value })}
          onBlur={(event) => void readHost(event.currentTarget.value)}
          onPaste={(event) => {
            event.preventDefault();
            void readHost(event.clipboardData?.getData("text").trim() ?? "");
          }}
        />
      </Field>
      <div class="columns">
        <Field id="protocol" label="Service" help={protocol?.summary ?? ""} errors={errorsAt(errors, "protocol")}>
          <select
            id="protocol"
            aria-describedby="protocol-help"
            value={draft.protocol}
            onChange={(event) => change({ protocol: event.currentTarget.value, kind: 0, settings: {} })}
          >
            {protocols.value.map(({ name, title, defaultPort }) => (
              <option key={name} value={name}>
                {title}
                {defaultPort === null ? "" : ` (${defaultPort})`}
              </option>
            ))}
          </select>
        </Field>
        <Field id="port" label="Port" help="1 to 65535" errors={errorsAt(errors, "port")}>
          <input
            id="port"
            aria-describedby="port-help"
            inputmode="numeric"
            autocomplete="off"
            placeholder={protocol?.defaultPort ? String(protocol.defaultPort) : ""}
            value={draft.port}
            onInput={(event) => change({ port: event.currentTarget.value })}
          />
        </Field>
      </div>
      {others.length > 0 && (
        <p class="small">
          Port {port} usually speaks{" "}
          {others.map(({ name, title }, index) => (
            <span key={name}>
              {index > 0 && ", "}
              <button type="button" class="plain" onClick={() => change({ protocol: name, kind: 0, settings: {} })}>
                {title}
              </button>
            </span>
          ))}
          .
        </p>
      )}
      {protocol && (
        <SettingsForm
          of={protocol}
          kind={draft.kind}
          values={draft.settings}
          errors={errors}
          chooseKind={(kind) => change({ kind, settings: {} })}
          change={(name, value) => change({ settings: { ...draft.settings, [name]: value } })}
        />
      )}
    </fieldset>
  );
};
