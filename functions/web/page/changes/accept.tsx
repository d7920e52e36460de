/** Accepts changes, with a note: what the services say now is expected from then on. */
import { useState } from "preact/hooks";
import { valueOfFact } from "../../../../shared/rules/fact-names.ts";
import { call } from "../api.ts";
import { useAction } from "../live.ts";
import { Dialog } from "../parts/dialog.tsx";
import { TextField } from "../parts/field.tsx";
import { Failed } from "../parts/notice.tsx";
import { plural } from "../words.ts";
import { type Change, factInWords } from "./change.ts";

const MOST_NAMED = 5;

const placeOf = ({ id, since }: Change) => `${id} ${since}`;

/** Changes that were accepted here: lists show them as open until they are decided, a moment later. */
export const useAccepted = () => {
  const [accepted, setAccepted] = useState<ReadonlyMap<string, Change>>(new Map());
  return {
    asAccepted: (changes: readonly Change[]) => changes.map((change) => accepted.get(placeOf(change)) ?? change),
    keep: (changes: readonly Change[]) =>
      setAccepted(new Map([...accepted, ...changes.map((change) => [placeOf(change), change] as const)])),
  };
};

interface AcceptProps {
  readonly changes: readonly Change[];
  readonly close: () => void;
  readonly done: (accepted: readonly Change[]) => void;
}

export const AcceptDialog = ({ changes, close, done }: AcceptProps) => {
  const [note, setNote] = useState("");
  const { failure, isBusy, run } = useAction();
  const accept = () =>
    run(async () => {
      const accepted: Change[] = [];
      for (const { id } of changes)
        accepted.push(await call("POST", `/v1/changes/${id}/accept`, { body: { note: note.trim() || null } }));
      done(accepted);
    });
  return (
    <Dialog title={`Accept ${plural(changes.length, "change")}?`} close={close}>
      <ul class="plain-list">
        {changes.slice(0, MOST_NAMED).map(({ id, monitorName, key, to }) => (
          <li key={id} dir="auto">
            {monitorName}: {factInWords(key)} is <code>{valueOfFact(key, to)}</code>
          </li>
        ))}
        {changes.length > MOST_NAMED && <li>and {changes.length - MOST_NAMED} more</li>}
      </ul>
      <p>It is expected from now on, and whoever was told of it is told so.</p>
      <TextField id="note" label="Note" help="What others should know. May be empty." value={note} change={setNote} />
      {failure !== null && <Failed failure={failure} />}
      <p class="actions">
        <button type="button" class="primary" disabled={isBusy} onClick={accept}>
          Accept
        </button>
        <button type="button" onClick={close}>
          Cancel
        </button>
      </p>
    </Dialog>
  );
};
