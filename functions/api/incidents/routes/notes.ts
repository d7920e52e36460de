/** Routes `/v1/incidents/{id}/notes`: what people write on incidents. The notes are read with the incident. */
import { show } from "../../../../shared/issues.ts";
import type { RecordedIncident } from "../../../../shared/store/incidents.ts";
import type { IncidentNote } from "../../../../shared/store/notes.ts";
import type { Token } from "../../../../shared/store/tokens.ts";
import type { Deps } from "../../deps.ts";
import { authorOf, type Change } from "../../http/audit.ts";
import { hasScope } from "../../http/auth.ts";
import { Problem } from "../../http/problem.ts";
import { type Route, route } from "../../http/route.ts";
import { changeOfKept } from "../../monitors/changes.ts";
import { existingIncident } from "../existing.ts";
import { MOST_NOTES, noteInput, notePatch, noteView, presentNote } from "../note.ts";

/** What is written, without who did it and when. */
const contentOf = ({ text, state, public: isPublic }: IncidentNote) => ({ text, state, public: isPublic });

type Named = Pick<Awaited<ReturnType<typeof existingIncident>>, "monitorId" | "monitorName">;

/** For the audit log of the monitor; none if nothing differs. */
const changeOf = (
  { monitorId, monitorName }: Named,
  id: string,
  before: IncidentNote | null,
  after: IncidentNote | null,
): Change[] => {
  const side = (note: IncidentNote | null) => ({ notes: { [id]: note ? contentOf(note) : null } });
  return changeOfKept({ id: monitorId, name: monitorName }, side(before), side(after));
};

/** Tells the subscribers of status pages what has become public. */
async function tellPages(
  { monitors, pageNews }: Deps,
  { id, monitorId, severity, startedAt, endedAt }: RecordedIncident,
  { id: noteId, updatedAt: at, state, text }: IncidentNote,
): Promise<void> {
  const monitor = await monitors.get(monitorId);
  if (!monitor || monitor.deletedAt) return;
  const named = { id: monitorId, name: monitor.name, tags: monitor.tags };
  const incident = { id, severity, startedAt, endedAt };
  await pageNews.ofMonitor(named, {
    id: `note.${noteId}`,
    at,
    content: { kind: "note", monitor: named, incident, state, text },
  });
}

/** A note that the caller may change. @throws Problem `not-found`, or `missing-scope` where it is another's */
async function ownNote(
  { notes }: Deps,
  incidentId: string,
  noteId: string,
  token: Token | null,
): Promise<IncidentNote> {
  const note = (await notes.of(incidentId)).find(({ id }) => id === noteId);
  if (!note) throw new Problem("not-found", `there is no note ${show(noteId)} on this incident`);
  if (!token || (note.by?.id !== token.id && !hasScope(token, "admin")))
    throw new Problem("missing-scope", `the note is by ${show(note.by?.name)}: only that token or an admin changes it`);
  return note;
}

const changedMeanwhile = () =>
  new Problem("changed-meanwhile", "the note was changed at the same time: read it and try again", {
    "retry-after": "1",
  });

const createNote = route({
  method: "POST",
  path: "/v1/incidents/{id}/notes",
  operationId: "createIncidentNote",
  summary: "Write a note on an incident",
  description: `Also after its end. An incident has at most ${MOST_NOTES} notes. Nobody is alerted of one; subscribers of status pages are told of one that is public.`,
  scope: "write",
  body: noteInput,
  sentBack: noteView,
  responses: { 201: { description: "The note.", schema: noteView } },
  problems: ["already-exists"],
  handle: async ({ params, body, token, record }, deps) => {
    const incident = await existingIncident(deps, params.id ?? "");
    const at = deps.now().toISOString();
    const note: IncidentNote = { id: deps.newId(), at, updatedAt: at, by: authorOf(token), ...body, revision: 1 };
    if (!(await deps.notes.create(incident.id, note, MOST_NOTES)))
      throw new Problem("already-exists", `the incident has ${MOST_NOTES} notes, which is the most: delete one first`);
    if (note.public) await tellPages(deps, incident, note);
    await record(changeOf(incident, note.id, null, note));
    return { status: 201, body: presentNote(note) };
  },
});

const updateNote = route({
  method: "PATCH",
  path: "/v1/incidents/{id}/notes/{noteId}",
  operationId: "updateIncidentNote",
  summary: "Change a note on an incident",
  description: "With the token that wrote it, or with scope `admin`.",
  scope: "write",
  body: notePatch,
  sentBack: noteView,
  contentTypes: ["application/merge-patch+json", "application/json"],
  responses: { 200: { description: "The note.", schema: noteView } },
  problems: ["changed-meanwhile"],
  handle: async ({ params, body, token, record }, deps) => {
    const incident = await existingIncident(deps, params.id ?? "");
    const before = await ownNote(deps, incident.id, params.noteId ?? "", token);
    const { text = before.text, state = before.state, public: isPublic = before.public } = body;
    const updatedAt = deps.now().toISOString();
    const after = { ...before, text, state, public: isPublic, updatedAt, revision: before.revision + 1 };
    const changes = changeOf(incident, after.id, before, after);
    if (changes.length > 0 && !(await deps.notes.update(incident.id, before, after))) throw changedMeanwhile();
    if (after.public && !before.public) await tellPages(deps, incident, after);
    await record(changes);
    return { body: presentNote(changes.length > 0 ? after : before) };
  },
});

const deleteNote = route({
  method: "DELETE",
  path: "/v1/incidents/{id}/notes/{noteId}",
  operationId: "deleteIncidentNote",
  summary: "Delete a note on an incident",
  description: "With the token that wrote it, or with scope `admin`.",
  scope: "write",
  responses: { 204: { description: "Deleted." } },
  problems: ["changed-meanwhile"],
  handle: async ({ params, token, record }, deps) => {
    const incident = await existingIncident(deps, params.id ?? "");
    const note = await ownNote(deps, incident.id, params.noteId ?? "", token);
    if (!(await deps.notes.remove(incident.id, note))) throw changedMeanwhile();
    await record(changeOf(incident, note.id, note, null));
    return { status: 204 };
  },
});

export const notes: readonly Route[] = [createNote, updateNote, deleteNote];
