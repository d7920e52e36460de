/** The form's part for what a status page shows: groups of monitors, in an order that buttons change. */
import type { FieldError } from "../api.ts";
import { nameOf } from "../monitors/overview.ts";
import { errorsAt, TextField } from "../parts/field.tsx";
import { MonitorSearch } from "../parts/monitor-picker.tsx";
import { type EntryDraft, entryOfMonitor, entryOfTags, type GroupDraft, moved, movedEntry, newGroup } from "./page.ts";

interface MoveProps {
  /** What is moved, for screen readers. */
  readonly name: string;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly move: (by: 1 | -1) => void;
  readonly remove: () => void;
}

const Move = ({ name, isFirst, isLast, move, remove }: MoveProps) => {
  // The row may land in another group, where it is drawn anew: the focus follows it there.
  const act = (by: 1 | -1) => {
    move(by);
    const label = `Move ${name} ${by === 1 ? "down" : "up"}`;
    requestAnimationFrame(() => document.querySelector<HTMLElement>(`[aria-label="${CSS.escape(label)}"]`)?.focus());
  };
  return (
    <div class="actions">
      <button type="button" aria-label={`Move ${name} up`} aria-disabled={isFirst} onClick={() => act(-1)}>
        Up
      </button>
      <button type="button" aria-label={`Move ${name} down`} aria-disabled={isLast} onClick={() => act(1)}>
        Down
      </button>
      <button type="button" aria-label={`Remove ${name}`} onClick={remove}>
        Remove
      </button>
    </div>
  );
};

interface EntryProps extends Omit<MoveProps, "name"> {
  readonly at: string;
  readonly entry: EntryDraft;
  readonly errors: readonly FieldError[];
  readonly change: (part: Partial<EntryDraft>) => void;
}

const Entry = ({ at, entry, errors, change, ...moving }: EntryProps) => {
  const isMonitor = entry.monitorId !== null;
  const name = isMonitor ? nameOf(entry.monitorId) : `monitors with ${entry.tags || "tags"}`;
  return (
    <li class="entry">
      <div class="top">
        <strong dir="auto">{isMonitor ? name : "Monitors with these tags"}</strong>
        <div class="end">
          <Move name={name} {...moving} />
        </div>
      </div>
      <div class="columns">
        {isMonitor ? (
          <TextField
            id={`${at}.name`}
            label="Public name"
            errors={[
              ...errors.filter(({ path }) => path === at),
              ...errorsAt(errors, `${at}.name`),
              ...errorsAt(errors, `${at}.monitorId`),
            ]}
            value={entry.name}
            change={(text) => change({ name: text })}
          />
        ) : (
          <TextField
            id={`${at}.tags`}
            label="Tags"
            help="key=value, with commas between them; a monitor must have all. They are shown by their own names."
            errors={[...errors.filter(({ path }) => path === at), ...errorsAt(errors, `${at}.tags`)]}
            value={entry.tags}
            change={(tags) => change({ tags })}
          />
        )}
        <TextField
          id={`${at}.text`}
          label="Sentence below it"
          errors={errorsAt(errors, `${at}.text`)}
          value={entry.text}
          change={(text) => change({ text })}
        />
      </div>
    </li>
  );
};

interface GroupsProps {
  readonly groups: readonly GroupDraft[];
  readonly errors: readonly FieldError[];
  readonly change: (groups: readonly GroupDraft[]) => void;
}

export const Groups = ({ groups, errors, change }: GroupsProps) => (
  <>
    {groups.map((group, index) => {
      const at = `groups[${index}]`;
      const set = (part: Partial<GroupDraft>) => change(groups.with(index, { ...group, ...part }));
      const { entries } = group;
      const title = group.name.trim() || `group ${index + 1}`;
      return (
        <fieldset key={group.key} class="card">
          <legend dir="auto">{group.name.trim() || `Group ${index + 1}`}</legend>
          {groups.length > 1 && (
            <Move
              name={title}
              isFirst={index === 0}
              isLast={index === groups.length - 1}
              move={(by) => change(moved(groups, index, by))}
              remove={() => change(groups.filter((other) => other !== group))}
            />
          )}
          <div class="columns">
            <TextField
              id={`${at}.name`}
              label="Heading"
              help="May be empty."
              errors={errorsAt(errors, `${at}.name`)}
              value={group.name}
              change={(name) => set({ name })}
            />
            <TextField
              id={`${at}.text`}
              label="Sentence below the heading"
              errors={errorsAt(errors, `${at}.text`)}
              value={group.text}
              change={(text) => set({ text })}
            />
          </div>
          {entries.length > 0 && (
            <ol class="plain-list" aria-label={`Shown in ${title}`}>
              {entries.map((entry, place) => (
                <Entry
                  key={entry.key}
                  at={`${at}.entries[${place}]`}
                  entry={entry}
                  errors={errors}
                  isFirst={index === 0 && place === 0}
                  isLast={index === groups.length - 1 && place === entries.length - 1}
                  change={(part) => set({ entries: entries.with(place, { ...entry, ...part }) })}
                  move={(by) => change(movedEntry(groups, index, place, by))}
                  remove={() => set({ entries: entries.filter((other) => other !== entry) })}
                />
              ))}
            </ol>
          )}
          <MonitorSearch
            id={`${at}.entries`}
            label="Add a monitor"
            errors={errors.filter(({ path }) => path === `${at}.entries`)}
            except={entries.flatMap(({ monitorId }) => monitorId ?? [])}
            choose={(id) => set({ entries: [...entries, entryOfMonitor(id, nameOf(id))] })}
          />
          <button type="button" onClick={() => set({ entries: [...entries, entryOfTags()] })}>
            Add monitors by their tags
          </button>
        </fieldset>
      );
    })}
    <p>
      <button type="button" onClick={() => change([...groups, newGroup()])}>
        Add a group
      </button>
    </p>
  </>
);
