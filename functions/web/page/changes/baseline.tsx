/** What a monitor's service is expected to say of itself, fact by fact: changed by hand, or learned anew. */
import { useState } from "preact/hooks";
import { CallFailure, call, getTagged, type Tagged } from "../api.ts";
import { useAction, useLoaded } from "../live.ts";
import { loadNames, nameOf } from "../monitors/overview.ts";
import { Confirm } from "../parts/dialog.tsx";
import { Empty } from "../parts/empty.tsx";
import { errorsAt, Field, TextField } from "../parts/field.tsx";
import { Form } from "../parts/form.tsx";
import { Loading } from "../parts/loading.tsx";
import { Failed, Permitted } from "../parts/notice.tsx";
import { go } from "../router.ts";
import { type Baseline, factInWords } from "./change.ts";

const linesOf = (values: readonly string[]) => values.join("\n");

interface EditorProps {
  readonly path: string;
  readonly tagged: Tagged<Baseline>;
  readonly reload: () => void;
  readonly done: () => void;
}

const Editor = ({ path, tagged: { found, etag }, reload, done }: EditorProps) => {
  const [texts, setTexts] = useState<Readonly<Record<string, string>>>(
    Object.fromEntries(Object.entries(found.values).map(([key, values]) => [key, linesOf(values)])),
  );
  const [added, setAdded] = useState("");
  const [isStale, setStale] = useState(false);
  const keys = Object.keys(texts).toSorted();
  const save = async () => {
    const values = Object.fromEntries(
      Object.entries(texts).map(([key, text]) => [key, text.split("\n").map((line) => line.trim())]),
    );
    try {
      await call("PUT", path, { body: { values }, headers: { "if-match": etag } });
    } catch (error) {
      if (!(error instanceof CallFailure) || error.status !== 412) throw error;
      return setStale(true);
    }
    done();
  };
  const without = (key: string) => {
    const { [key]: _gone, ...others } = texts;
    setTexts(others);
  };
  return (
    <Form verb="Save" shown={keys.map((key) => `values.${key}`)} save={save}>
      {(errors) => (
        <>
          {isStale && (
            <p class="notice" role="alert">
              It was changed meanwhile, and yours was not stored.{" "}
              <button type="button" onClick={reload}>
                Read it again
              </button>
            </p>
          )}
          {keys.length === 0 && (
            <Empty title="Nothing is expected yet.">
              <p>The first three checks of each location that are answered learn it.</p>
            </Empty>
          )}
          {keys.map((key) => (
            <div key={key} class="card">
              <Field id={key} label={factInWords(key)} help={key} errors={errorsAt(errors, `values.${key}`)}>
                <textarea
                  id={key}
                  aria-describedby={`${key}-help`}
                  dir="auto"
                  rows={Math.max(2, texts[key]!.split("\n").length)}
                  value={texts[key]!}
                  onInput={(event) => setTexts({ ...texts, [key]: event.currentTarget.value })}
                />
              </Field>
              <button
                type="button"
                class="plain"
                onClick={() => without(key)}
                aria-label={`Remove ${factInWords(key)}`}
              >
                Remove
              </button>
            </div>
          ))}
          <div class="card">
            <TextField
              id="added"
              label="Another fact"
              help="Its key, such as `ssh.software`."
              value={added}
              change={setAdded}
            />
            <button
              type="button"
              disabled={added.trim() === ""}
              onClick={() => {
                setTexts({ ...texts, [added.trim()]: "" });
                setAdded("");
              }}
            >
              Add
            </button>
          </div>
        </>
      )}
    </Form>
  );
};

export const BaselinePage = ({ id }: { readonly id: string }) => {
  const path = `/v1/monitors/${id}/baseline`;
  const [version, setVersion] = useState(0);
  // Not polled: what is being edited stays.
  const { answer, failure, refresh } = useLoaded(
    async () => {
      const [tagged] = await Promise.all([getTagged<Baseline>(path), loadNames()]);
      return tagged;
    },
    86_400_000,
    [path, version],
  );
  const [isAsking, setAsking] = useState(false);
  const learning = useAction();
  const back = () => go(`/monitors/${id}`);
  const isGone = failure instanceof CallFailure && failure.status === 404;
  return (
    <main id="main">
      <div class="top">
        <h1 tabIndex={-1}>{isGone ? "There is no such monitor" : "What is expected"}</h1>
        {answer && !isGone && (
          <Permitted what="Changing what is expected">
            <div class="actions end">
              <button type="button" onClick={() => setAsking(true)}>
                Learn anew…
              </button>
            </div>
          </Permitted>
        )}
      </div>
      {!isGone && (
        <p class="dim">
          Of <a href={`/monitors/${id}`}>{nameOf(id)}</a>. One value a line; an empty line: the fact may be missing.
          What the service says and is not here becomes a change.
        </p>
      )}
      {failure !== null && !isGone && <Failed failure={failure} retry={refresh} />}
      {learning.failure !== null && <Failed failure={learning.failure} />}
      {!answer && failure === null && <Loading />}
      {answer && !isGone && (
        <Permitted what="Changing what is expected">
          <Editor key={answer.etag} path={path} tagged={answer} reload={() => setVersion(version + 1)} done={back} />
        </Permitted>
      )}
      {isAsking && (
        <Confirm
          title="Learn it anew?"
          verb="Learn anew"
          confirm={() => {
            setAsking(false);
            learning.run(async () => {
              await call("DELETE", path);
              back();
            });
          }}
          cancel={() => setAsking(false)}
        >
          <p>What the service says now is expected from then on. Open changes end.</p>
        </Confirm>
      )}
    </main>
  );
};
