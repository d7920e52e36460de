/** Changes something that the API keeps: sends what was changed, and shows what somebody else changed meanwhile. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Scope } from "../../../../shared/tokens.ts";
import { CallFailure, call, getTagged, type Tagged } from "../api.ts";
import { when } from "../words.ts";
import { Loading } from "./loading.tsx";
import { type Json, mergePatch } from "./merge-patch.ts";
import { Failed, Permitted } from "./notice.tsx";

interface Kept {
  readonly name?: string;
  readonly updatedAt: string;
  readonly updatedBy?: { readonly name: string } | null;
}

/** Both versions, field by field. */
const Conflict = ({
  noun,
  newest: { updatedAt, updatedBy },
  before,
  after,
  takeNewest,
  keepMine,
}: {
  readonly noun: string;
  readonly newest: Kept;
  readonly before: Json;
  readonly after: Json;
  readonly takeNewest: () => void;
  readonly keepMine: () => void;
}) => {
  const changed = Object.keys(mergePatch(before, after) ?? {});
  return (
    <section class="notice" role="alert" aria-label="Changed meanwhile">
      <p>
        {updatedBy?.name ?? "Somebody"} changed this {noun} at {when(updatedAt)}. Yours was not stored.
      </p>
      {changed.length > 0 && (
        <div class="scrolled">
          <table>
            <thead>
              <tr>
                <th scope="col">Field</th>
                <th scope="col">Was</th>
                <th scope="col">Is now</th>
              </tr>
            </thead>
            <tbody>
              {changed.map((name) => (
                <tr key={name}>
                  <td>{name}</td>
                  <td>{JSON.stringify(before[name])}</td>
                  <td>{JSON.stringify(after[name])}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <p class="actions">
        <button type="button" onClick={keepMine}>
          Store my changes as well
        </button>
        <button type="button" onClick={takeNewest}>
          Drop mine
        </button>
      </p>
    </section>
  );
};

interface EditingProps<Found extends Kept> {
  /** Where it is read and changed. */
  readonly path: string;
  readonly noun: string;
  /** Of the page; default "Edit" and the name. */
  readonly titleOf?: (found: Found) => string;
  /** What the form says of it while nothing is changed, as the API takes it. */
  readonly bodyOf: (found: Found) => Json;
  /** Fields that the API takes as a whole only. */
  readonly whole?: readonly string[];
  /** What else has to be there before the form is drawn. */
  readonly prepare?: () => Promise<unknown>;
  readonly done: () => void;
  /** That a session needs; default `write`. */
  readonly scope?: Scope;
  /** The form. @param save takes the whole body; what it throws the form shows */
  readonly children: (found: Found, save: (body: Json) => Promise<void>) => ComponentChildren;
}

export const Editing = <Found extends Kept>(props: EditingProps<Found>) => {
  const {
    path,
    noun,
    titleOf = ({ name }) => `Edit ${name}`,
    bodyOf,
    whole = [],
    prepare,
    done,
    scope = "write",
    children,
  } = props;
  const [base, setBase] = useState<Tagged<Found> | null>(null);
  const [conflict, setConflict] = useState<{ readonly newest: Tagged<Found>; readonly mine: Json } | null>(null);
  const [failure, fail] = useState<unknown>(null);
  const load = async () => {
    fail(null);
    try {
      const [tagged] = await Promise.all([getTagged<Found>(path), prepare?.()]);
      setBase(tagged);
      setConflict(null);
    } catch (error) {
      fail(error);
    }
  };
  useEffect(() => void load(), [path]);

  const store = async (mine: Json, etag: string) => {
    const changes = mergePatch(bodyOf(base!.found), mine);
    if (changes) {
      const body = {
        ...changes,
        ...Object.fromEntries(whole.filter((name) => name in changes).map((name) => [name, mine[name]])),
      };
      await call("PATCH", path, { body, headers: { "if-match": etag } });
    }
    done();
  };
  const save = async (mine: Json) => {
    try {
      await store(mine, base!.etag);
    } catch (error) {
      if (!(error instanceof CallFailure) || error.status !== 412) throw error;
      setConflict({ newest: await getTagged<Found>(path), mine });
    }
  };
  const keepMine = async () => {
    try {
      await store(conflict!.mine, conflict!.newest.etag);
    } catch (error) {
      fail(error);
    }
  };

  const isGone = failure instanceof CallFailure && failure.status === 404;
  return (
    <>
      <h1 tabIndex={-1} dir="auto">
        {isGone ? `There is no such ${noun}` : base ? titleOf(base.found) : `One ${noun}`}
      </h1>
      {isGone && <p>It may have been deleted.</p>}
      {!base && failure === null && <Loading />}
      {failure !== null && !isGone && <Failed failure={failure} retry={() => void load()} />}
      <Permitted what={`Changing a ${noun}`} scope={scope}>
        {/* Another version begins the form anew. */}
        {base && <div key={base.etag}>{children(base.found, save)}</div>}
        {base && conflict && (
          <Conflict
            noun={noun}
            newest={conflict.newest.found}
            before={bodyOf(base.found)}
            after={bodyOf(conflict.newest.found)}
            takeNewest={() => void load()}
            keepMine={() => void keepMine()}
          />
        )}
      </Permitted>
    </>
  );
};
