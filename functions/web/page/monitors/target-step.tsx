/** What is watched: host, service, port and the service's settings. */
import { useState } from "preact/hooks";
import { recordIn } from "../../../../shared/engine/sweep-record.ts";
import type { FieldError } from "../api.ts";
import { CopyField } from "../parts/copy-field.tsx";
import { errorsAt, Field } from "../parts/field.tsx";
import { SettingsForm } from "../parts/settings-form.tsx";
import { may } from "../session.ts";
import { type Draft, withProtocol } from "./draft.ts";
import { loadProtocols, protocols, sweepsPorts, usualFor } from "./protocols.ts";
import { takeApart } from "./target-text.ts";

export interface StepProps {
  readonly draft: Draft;
  readonly change: (change: Partial<Draft>) => void;
  readonly errors: readonly FieldError[];
}

/**
 * What a URL or `host:port` in the field of the host says of the target; undefined for nothing but a host.
 * @param isSweep whether ports and paths have no meaning, and the host is all that is taken
 */
export const partsOf = async (text: string, isSweep: boolean) => {
  // Which schemes of URLs are protocols is known once they are loaded.
  await loadProtocols().catch(() => {});
  const found = takeApart(text, new Set(protocols.peek().map(({ name }) => name)));
  if (!found) return undefined;
  const { host, port, protocol, path } = found;
  if (isSweep) return { change: { host }, words: host };
  const change: Partial<Draft> = {
    host,
    ...(port !== undefined && { port: String(port) }),
    ...(protocol && { protocol, kind: 0, settings: path ? { path } : {} }),
  };
  const words = [protocol, host, port !== undefined && `port ${port}`, path && `path ${path}`].filter(Boolean);
  return { change, words: words.join(", ") };
};

/** What the owner of the host may publish so that it may be swept. */
const Proof = ({ refusals }: { readonly refusals: readonly FieldError[] }) => {
  const record = refusals.map(({ message }) => recordIn(message)).find(Boolean);
  return record ? (
    <div class="notice">
      <p>If the name is yours, publish this TXT record, wait until DNS answers with it, and try again.</p>
      <CopyField isAside label="Name of the TXT record" value={record.name} />
      <CopyField isAside label="Its value" value={record.value} />
    </div>
  ) : null;
};

export const Target = ({ draft, change, errors }: StepProps) => {
  const [note, setNote] = useState("");
  const protocol = protocols.value.find(({ name }) => name === draft.protocol);
  const port = Number(draft.port) || protocol?.defaultPort;
  const usual = port ? usualFor(port) : [];
  const others = usual.some(({ name }) => name === draft.protocol) ? [] : usual;
  const isSweep = sweepsPorts(draft.protocol);
  const choose = (name: string) => change(withProtocol(name, sweepsPorts(name), isSweep));
  const offered = protocols.value.filter((one) => one === protocol || !sweepsPorts(one.name) || may("admin"));
  const refusals = errorsAt(errors, "host");
  const readHost = async (text: string) => {
    change({ host: text });
    const found = await partsOf(text, isSweep);
    if (!found) return;
    change(found.change);
    setNote(`Taken apart: ${found.words}.`);
  };
  return (
    <fieldset class="card">
      <legend>Where</legend>
      <Field
        id="host"
        label={isSweep ? "Host name, IP address or network" : "Host name or IP address"}
        help={
          note ||
          (isSweep
            ? "Such as `db.example.com`, `203.0.113.5` or `203.0.113.0/28`: only what is yours to sweep."
            : "A pasted URL, or host:port, is taken apart.")
        }
        errors={refusals}
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
      <Proof refusals={refusals} />
      {isSweep && !may("admin") && <p class="notice">Changing what is swept needs a token with the scope admin.</p>}
      <div class="columns">
        <Field id="protocol" label="Service" help={protocol?.summary ?? ""} errors={errorsAt(errors, "protocol")}>
          <select
            id="protocol"
            aria-describedby="protocol-help"
            value={draft.protocol}
            onChange={(event) => choose(event.currentTarget.value)}
          >
            {offered.map(({ name, title, defaultPort }) => (
              <option key={name} value={name}>
                {title}
                {defaultPort === 0 ? " (ports of a host or network)" : defaultPort === null ? "" : ` (${defaultPort})`}
              </option>
            ))}
          </select>
        </Field>
        {!isSweep && (
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
        )}
      </div>
      {others.length > 0 && (
        <p class="small">
          Port {port} usually speaks{" "}
          {others.map(({ name, title }, index) => (
            <span key={name}>
              {index > 0 && ", "}
              <button type="button" class="plain" onClick={() => choose(name)}>
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
          isOpen={isSweep}
          values={draft.settings}
          errors={errors}
          chooseKind={(kind) => change({ kind, settings: {} })}
          change={(name, value) => change({ settings: { ...draft.settings, [name]: value } })}
        />
      )}
    </fieldset>
  );
};
