/** The form's part for how a status page looks: what is shown beside the names, logo, colour and links. */
import { useState } from "preact/hooks";
import { Checks, ChoiceField, errorsAt, Field, TextField } from "../parts/field.tsx";
import type { PartProps } from "./edit.tsx";
import { newLink } from "./page.ts";

const MOST_LINKS = 10;
/** Of a page without a colour of its own, as a beginning. */
const FIRST_COLOR = "#0a5dc2";
const SWITCHES = [
  ["showPercent", "Uptime in per cent"],
  ["showLatency", "Latency of the newest check"],
  ["embed", "Other sites may show the page in a frame"],
] as const;

const dataUrlOf = (file: File) =>
  new Promise<string>((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });

const Logo = ({ draft, change, errors }: PartProps) => {
  const [failure, fail] = useState("");
  const choose = async (file: File | undefined) => {
    if (!file) return;
    try {
      change({ logo: await dataUrlOf(file) });
      fail("");
    } catch {
      fail("The file could not be read.");
    }
  };
  return (
    <Field
      id="logo"
      label="Logo"
      help={`PNG, JPEG or WebP of at most 64 KB. ${failure}`}
      errors={errorsAt(errors, "logo")}
    >
      {draft.logo !== null && (
        <p class="actions">
          <img class="logo" src={draft.logo} alt="The logo" />
          <button type="button" onClick={() => change({ logo: null })}>
            Remove the logo
          </button>
        </p>
      )}
      <input
        id="logo"
        type="file"
        accept="image/png,image/jpeg,image/webp"
        aria-describedby="logo-help"
        onChange={(event) => void choose(event.currentTarget.files?.[0])}
      />
    </Field>
  );
};

const Links = ({ draft, change, errors }: PartProps) => {
  const { links } = draft;
  return (
    <div role="group" aria-label="Links at the foot of the page">
      {links.map((link, index) => {
        const at = `links[${index}]`;
        const set = (part: Partial<typeof link>) => change({ links: links.with(index, { ...link, ...part }) });
        return (
          <div key={link.key} class="entry">
            <div class="columns">
              <TextField
                id={`${at}.label`}
                label={`Link ${index + 1}`}
                errors={errorsAt(errors, `${at}.label`)}
                value={link.label}
                change={(label) => set({ label })}
              />
              <TextField
                id={`${at}.url`}
                label={`Address of link ${index + 1}`}
                errors={errorsAt(errors, `${at}.url`)}
                input={{ type: "url", placeholder: "https://…" }}
                value={link.url}
                change={(url) => set({ url })}
              />
            </div>
            <button type="button" onClick={() => change({ links: links.filter((other) => other !== link) })}>
              Remove link {index + 1}
            </button>
          </div>
        );
      })}
      {links.length < MOST_LINKS && (
        <p>
          <button type="button" onClick={() => change({ links: [...links, newLink()] })}>
            Add a link to its foot
          </button>
        </p>
      )}
    </div>
  );
};

export const Look = (parts: PartProps) => {
  const { draft, change, errors } = parts;
  return (
    <fieldset class="card">
      <legend>How it looks</legend>
      <div class="columns">
        <ChoiceField
          id="days"
          label="How far back"
          errors={errorsAt(errors, "days")}
          options={[30, 90]}
          words={(days) => `${days} days`}
          value={draft.days}
          change={(days) => change({ days })}
        />
        <Checks
          id="shows"
          label="Shown as well"
          options={SWITCHES}
          chosen={SWITCHES.flatMap(([name]) => (draft[name] ? [name] : []))}
          change={(chosen) =>
            change(Object.fromEntries(SWITCHES.map(([name]) => [name, chosen.includes(name)])) as Partial<typeof draft>)
          }
        />
        <Logo {...parts} />
        <Field
          id="accentColor"
          label="Colour of the line at the top"
          help={draft.accentColor === null ? "None is chosen." : draft.accentColor}
          errors={errorsAt(errors, "accentColor")}
        >
          <div class="actions">
            <input
              id="accentColor"
              type="color"
              aria-describedby="accentColor-help"
              value={draft.accentColor ?? FIRST_COLOR}
              onInput={(event) => change({ accentColor: event.currentTarget.value })}
            />
            {draft.accentColor !== null && (
              <button type="button" onClick={() => change({ accentColor: null })}>
                Without a colour
              </button>
            )}
          </div>
        </Field>
      </div>
      <Links {...parts} />
    </fieldset>
  );
};
