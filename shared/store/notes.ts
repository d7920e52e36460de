/** Notes that people write on incidents. They lie beside the incident, because decisions write the whole of that again. */
import { DeleteCommand, type DynamoDBDocumentClient, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { Timestamp } from "../model.ts";
import type { Author } from "./audit.ts";
import { unlessRaced } from "./condition.ts";
import { NOTE_PREFIX, noteCountKey, noteKey } from "./keys.ts";
import { type Item, pagesOf } from "./read.ts";

/** What people who are told of an incident want to know of it. */
export const NOTE_STATES = ["investigating", "identified", "monitoring", "resolved"] as const;
export type NoteState = (typeof NOTE_STATES)[number];

export interface IncidentNote {
  readonly id: string;
  readonly at: Timestamp;
  /** When it was last changed. */
  readonly updatedAt: Timestamp;
  readonly by: Author;
  readonly text: string;
  readonly state: NoteState | null;
  /** Whether it may be shown to everybody. */
  readonly public: boolean;
  /** Increases with every change. */
  readonly revision: number;
}

const fromItem = ({ pk: _pk, sk: _sk, ...note }: Item) => note as unknown as IncidentNote;

export const createNoteStore = (client: DynamoDBDocumentClient, tableName: string) => {
  const put = (incidentId: string, note: IncidentNote, condition: string, values?: Record<string, unknown>) =>
    unlessRaced(
      client.send(
        new PutCommand({
          TableName: tableName,
          Item: { ...noteKey(incidentId, note.id), ...note },
          ConditionExpression: condition,
          ExpressionAttributeValues: values,
        }),
      ),
    );

  /** Counts one note more or less. @param isCounted what must hold for that */
  const count = (incidentId: string, step: 1 | -1, isCounted: string, values: Record<string, number>) =>
    unlessRaced(
      client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: noteCountKey(incidentId),
          UpdateExpression: "SET notes = if_not_exists(notes, :before) + :step",
          ConditionExpression: isCounted,
          ExpressionAttributeValues: { ":before": 0, ...values, ":step": step },
        }),
      ),
    );

  return {
    /** All notes of an incident, the oldest first. */
    async of(incidentId: string): Promise<IncidentNote[]> {
      const notes: IncidentNote[] = [];
      const pages = pagesOf(client, {
        TableName: tableName,
        KeyConditionExpression: "pk = :pk AND begins_with(sk, :notes)",
        ExpressionAttributeValues: { ":pk": noteKey(incidentId, "").pk, ":notes": NOTE_PREFIX },
        ConsistentRead: true,
      });
      for await (const page of pages) notes.push(...page.map(fromItem));
      return notes.toSorted((a, b) => a.at.localeCompare(b.at));
    },

    /**
     * Stores a note unless there are so many already. They are counted in an item of their own before that, so that not even notes
     * that are written at the same time are more. A process that dies in between leaves one counted too many.
     * @returns false if there are so many
     */
    async create(incidentId: string, note: IncidentNote, most: number): Promise<boolean> {
      // Notes of before there was the counter.
      const before = (await this.of(incidentId)).length;
      const hasRoom = before < most && "(attribute_not_exists(notes) OR notes < :most)";
      if (!hasRoom || !(await count(incidentId, 1, hasRoom, { ":before": before, ":most": most }))) return false;
      await put(incidentId, note, "attribute_not_exists(pk)");
      return true;
    },

    /** @returns false if it was changed or deleted since `before` was read */
    update: (incidentId: string, before: IncidentNote, after: IncidentNote): Promise<boolean> =>
      put(incidentId, after, "revision = :revision", { ":revision": before.revision }),

    /** @returns false if it was changed or deleted meanwhile */
    async remove(incidentId: string, { id, revision }: IncidentNote): Promise<boolean> {
      const isRemoved = await unlessRaced(
        client.send(
          new DeleteCommand({
            TableName: tableName,
            Key: noteKey(incidentId, id),
            ConditionExpression: "revision = :revision",
            ExpressionAttributeValues: { ":revision": revision },
          }),
        ),
      );
      // Without a counter the next note counts what there is.
      if (isRemoved) await count(incidentId, -1, "notes > :before", {});
      return isRemoved;
    },
  };
};
export type NoteStore = ReturnType<typeof createNoteStore>;
