/** How this browser shows the dashboard. */
import type { ComponentChildren } from "preact";
import { browserZone, changeDisplay, type Display, display } from "../display.ts";
import { now } from "../live.ts";
import { when } from "../words.ts";
import { Settings } from "./settings.tsx";

const Choice = <Name extends keyof Display>({
  name,
  label,
  help,
  children,
}: {
  readonly name: Name;
  readonly label: string;
  readonly help?: ComponentChildren;
  readonly children: ComponentChildren;
}) => (
  <div class="field">
    <label for={name}>{label}</label>
    <select
      id={name}
      aria-describedby={help ? `${name}-help` : undefined}
      value={display.value[name]}
      onChange={(event) => changeDisplay({ [name]: event.currentTarget.value })}
    >
      {children}
    </select>
    {help && (
      <div id={`${name}-help`} class="small dim">
        {help}
      </div>
    )}
  </div>
);

export const DisplayPage = () => (
  <Settings title="Display">
    <p class="dim">Kept in this browser only.</p>
    <div class="card form">
      <div class="columns">
        <Choice name="theme" label="Theme">
          <option value="system">as the system</option>
          <option value="light">light</option>
          <option value="dark">dark</option>
        </Choice>
        <Choice name="density" label="Rows of the list">
          <option value="normal">normal</option>
          <option value="compact">compact</option>
        </Choice>
        <Choice name="zone" label="Time zone" help={<>Now: {when(now.value)}</>}>
          <option value="">the browser's ({browserZone})</option>
          <option value="UTC">UTC</option>
          {Intl.supportedValuesOf("timeZone").map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </Choice>
        <Choice name="clock" label="Clock">
          <option value="24">24 hours</option>
          <option value="12">12 hours</option>
        </Choice>
        <Choice name="shortcuts" label="Keyboard shortcuts" help="Keys such as / and ?. Ctrl+K works in any case.">
          <option value="on">on</option>
          <option value="off">off</option>
        </Choice>
      </div>
    </div>
    <p class="dim">
      For a screen on the wall: <a href="/wall">the wall</a> has tiles of all, or with <code>?tag=team=orders</code> of
      those with a tag.
    </p>
  </Settings>
);
