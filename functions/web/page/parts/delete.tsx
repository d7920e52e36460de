/** A button that deletes something, after a question. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { CallFailure, call } from "../api.ts";
import { Confirm } from "./dialog.tsx";
import { Failed } from "./notice.tsx";

interface DeleteProps {
  readonly path: string;
  readonly name: string;
  /** Added to the path to delete it although the API says that something needs it (409). */
  readonly force?: string;
  readonly done: () => void;
  /** What follows from it. */
  readonly children: ComponentChildren;
}

export const Delete = ({ path, name, force, done, children }: DeleteProps) => {
  const [isAsking, setAsking] = useState(false);
  const [failure, fail] = useState<unknown>(null);
  const isNeeded = force !== undefined && failure instanceof CallFailure && failure.status === 409;
  const remove = async () => {
    setAsking(false);
    try {
      await call("DELETE", isNeeded ? path + force : path);
      done();
    } catch (error) {
      fail(error);
    }
  };
  return (
    <>
      <button type="button" onClick={() => setAsking(true)}>
        {isNeeded ? "Delete all the same…" : "Delete…"}
      </button>
      {failure !== null && <Failed failure={failure} />}
      {isAsking && (
        <Confirm title={`Delete ${name}?`} verb="Delete" confirm={() => void remove()} cancel={() => setAsking(false)}>
          {children}
        </Confirm>
      )}
    </>
  );
};
