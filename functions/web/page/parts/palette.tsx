/** Ctrl+K: goes to a monitor, a page or an action by a few letters of its name. */
import { useEffect, useRef, useState } from "preact/hooks";
import { changeDisplay } from "../display.ts";
import type { Row, Status } from "../model.ts";
import { found, ordered } from "../monitors/filters.ts";
import { loadOverview, overview } from "../monitors/overview.ts";
import { go } from "../router.ts";
import { logOut, may, mayChangeMonitors } from "../session.ts";
import { target } from "../words.ts";
import { Dialog } from "./dialog.tsx";
import { StatusMark } from "./status.tsx";

interface Choice {
  readonly id: string;
  readonly name: string;
  readonly hint: string;
  readonly status?: Status;
  readonly act: () => void;
}

const MOST_MONITORS = 12;

const to = (path: string, name: string, hint = "page"): Choice => ({ id: path, name, hint, act: () => go(path) });

/** What there is beside monitors, for this session. */
const fixed = (): readonly Choice[] => [
  to("/monitors", "Monitors"),
  ...(mayChangeMonitors.value ? [to("/monitors/new", "New monitor", "action")] : []),
  to("/incidents", "Incidents"),
  to("/changes", "Changes"),
  to("/maintenance", "Maintenance"),
  to("/policies", "Alert policies"),
  to("/channels", "Channels"),
  to("/subscriptions", "Subscriptions"),
  to("/status-pages", "Status pages"),
  to("/locations", "Locations"),
  to("/wall", "Wall: tiles for a screen on the wall"),
  to("/settings", "Display settings"),
  ...(may("admin")
    ? [to("/settings/tokens", "Tokens"), to("/settings/sessions", "Sessions"), to("/settings/audit", "Audit log")]
    : []),
  ...(["light", "dark", "system"] as const).map((theme) => ({
    id: `theme-${theme}`,
    name: `Theme: ${theme}`,
    hint: "action",
    act: () => changeDisplay({ theme }),
  })),
  { id: "log-out", name: "Log out", hint: "action", act: () => void logOut() },
];

const ofMonitor = (row: Row): Choice => ({
  ...to(`/monitors/${row.id}`, row.name, `${row.protocol} ${target(row)}`),
  status: row.status,
});

/** Pages and actions that have all the words, then monitors as the list would find them. */
const find = (q: string): readonly Choice[] => {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const named = fixed().filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
  const rows = [...(overview.value?.rows.values() ?? [])];
  const matching = found(rows, { q, status: null, tag: null });
  const monitors = ordered(matching, { group: null, sort: "status" })[0]!.rows.slice(0, MOST_MONITORS).map(ofMonitor);
  return q.trim() === "" ? [...named, ...monitors] : [...monitors, ...named];
};

export const Palette = ({ close }: { readonly close: () => void }) => {
  const [q, setQ] = useState("");
  const [chosen, choose] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const choices = find(q);
  useEffect(() => {
    if (!overview.peek()?.isWhole) void loadOverview("24h", false).catch(() => {}); // pages are there without it
  }, []);
  useEffect(() => list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" }), [chosen]);
  const act = (choice: Choice | undefined) => {
    if (!choice) return;
    close();
    // After the dialog has given the focus back.
    setTimeout(choice.act);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by !== undefined) choose((chosen + by + choices.length) % Math.max(1, choices.length));
    else if (event.key === "Enter") act(choices[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title="Go to" close={close} isWide>
      <input
        class="whole"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette"
        aria-activedescendant={choices[chosen] && `palette-${chosen}`}
        aria-label="A monitor, a page or an action"
        placeholder="A monitor, a page or an action"
        autocomplete="off"
        autofocus
        value={q}
        onInput={(event) => {
          setQ(event.currentTarget.value);
          choose(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul ref={list} id="palette" class="palette" role="listbox" aria-label="Found">
        {choices.map((choice, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field above
          <li
            key={choice.id}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === chosen}
            tabIndex={-1}
            onClick={() => act(choice)}
          >
            <span dir="auto">{choice.name}</span>
            <span class="dim small end">{choice.status ? <StatusMark status={choice.status} /> : choice.hint}</span>
          </li>
        ))}
      </ul>
      {choices.length === 0 && <p class="dim">Nothing is called so.</p>}
    </Dialog>
  );
};
