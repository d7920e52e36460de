/** Notes on incidents as callers send and see them. */
import { z } from "zod";
import { fields, flag, oneOf, paragraphs } from "../../../shared/schema.ts";
import { type IncidentNote, NOTE_STATES } from "../../../shared/store/notes.ts";
import { author, moment } from "../http/representations.ts";

/** All notes of an incident are read and answered at once. */
export const MOST_NOTES = 100;
const MOST_CHARACTERS = 2_000;

const noteText = paragraphs(MOST_CHARACTERS, "a text").meta({
  description: `What happened, or what is done about it; at most ${MOST_CHARACTERS} characters.`,
  example: "The disk of db-2 is full. We are moving the logs away.",
});
const noteState = oneOf(NOTE_STATES)
  .meta({ id: "NoteState", description: "How far the work on an incident is.", example: "identified" })
  .nullable();
const isPublic = flag().meta({
  description: "Whether it may be shown to everybody, on a status page. Default false.",
  example: false,
});

export const noteInput = fields({
  text: noteText,
  state: noteState.default(null).describe("How far the work is. Default: nothing is said of it."),
  public: isPublic.default(false),
}).meta({ id: "IncidentNoteInput", description: "A note to write on an incident." });

export const notePatch = fields({
  text: noteText.optional(),
  state: noteState.optional().describe("How far the work is; null: nothing is said of it."),
  public: isPublic.optional(),
}).meta({
  id: "IncidentNotePatch",
  description: "What to change of a note.",
  example: { state: "monitoring", text: "The logs are away; we watch the disk." },
});

export const noteView = z
  .object({
    id: z.string().meta({ description: "Id of the note.", example: "5b1c4f7e-9a51-4d6c-8d1b-0c1f0a3f5b7e" }),
    at: moment.describe("When it was written."),
    updatedAt: moment.describe("When it was last changed."),
    by: author.nullable().describe("Token with which it was written."),
    text: noteText,
    state: noteState.describe("How far the work is; null: nothing is said of it."),
    public: isPublic,
  })
  .meta({ id: "IncidentNote", description: "What somebody wrote on an incident." });

export const presentNote = ({ revision: _revision, ...note }: IncidentNote) => note;
