/** Tokens: who may use the API and this dashboard, and what each may do. */
import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { useAction } from "../live.ts";
import { Confirm } from "../parts/dialog.tsx";
import { Failed } from "../parts/notice.tsx";
import { Paged, usePaged } from "../parts/paged.tsx";
import { Ago } from "../parts/time.tsx";
import { ask, query } from "../router.ts";
import { may, session } from "../session.ts";
import { when } from "../words.ts";
import { Settings } from "./settings.tsx";
import { type MadeToken, NewToken, Rename, Rotate, ShownOnce, type Token } from "./token-dialogs.tsx";

const STATES = ["active", "revoked", "expired"] as const;

type Asking = "rename" | "rotate" | "revoke";

interface RowProps {
  readonly token: Token;
  readonly changed: () => void;
  readonly show: (made: MadeToken) => void;
}

const Row = ({ token, changed, show }: RowProps) => {
  const [asking, ask] = useState<Asking | null>(null);
  const { failure, run } = useAction();
  const { id, name, state, scopes, monitorTags, lastUsedAt, expiresAt, revokedAt, previousSecretExpiresAt } = token;
  const close = () => ask(null);
  const done = () => {
    close();
    changed();
  };
  const revoke = () => {
    close();
    run(async () => {
      await call("DELETE", `/v1/tokens/${id}`);
      changed();
    });
  };
  return (
    <tr>
      <td dir="auto">
        <strong>{name}</strong> {id === session.value?.tokenId && "(yours)"}
        <div class="dim small">{id}</div>
      </td>
      <td data-label="May">
        {scopes.join(", ")}
        {monitorTags && <div class="dim small">{monitorTags.join(", ")}</div>}
      </td>
      <td data-label="Last used">{lastUsedAt ? <Ago at={lastUsedAt} /> : "never"}</td>
      <td data-label="Ends">
        {revokedAt ? `revoked ${when(revokedAt)}` : expiresAt ? when(expiresAt) : "never"}
        {previousSecretExpiresAt && (
          <div class="dim small">The secret before works until {when(previousSecretExpiresAt)}.</div>
        )}
      </td>
      <td>
        {state === "active" && (
          <span class="actions">
            <button type="button" aria-label={`Rename ${name}`} onClick={() => ask("rename")}>
              Rename…
            </button>
            <button type="button" aria-label={`Rotate ${name}`} onClick={() => ask("rotate")}>
              Rotate…
            </button>
            <button type="button" aria-label={`Revoke ${name}`} onClick={() => ask("revoke")}>
              Revoke…
            </button>
          </span>
        )}
        {failure !== null && <Failed failure={failure} />}
        {asking === "rename" && <Rename token={token} done={done} cancel={close} />}
        {asking === "rotate" && (
          <Rotate
            token={token}
            done={(made) => {
              done();
              show(made);
            }}
            cancel={close}
          />
        )}
        {asking === "revoke" && (
          <Confirm title={`Revoke ${name}?`} verb="Revoke" confirm={revoke} cancel={close}>
            <p>
              Whatever uses it is refused from now on, and its sessions end
              {id === session.value?.tokenId && <strong>: yours too</strong>}. This cannot be undone.
            </p>
          </Confirm>
        )}
      </td>
    </tr>
  );
};

export const TokensPage = () => {
  const state = STATES.find((one) => one === query.value.get("state")) ?? "active";
  const list = usePaged<Token>(may("admin") ? `/v1/tokens?limit=50&state=${state}` : "");
  const [made, setMade] = useState<MadeToken | null>(null);
  return (
    <Settings title="Tokens" isForAdmins>
      <ul class="chips" aria-label="Filter by state">
        {STATES.map((one) => (
          <li key={one}>
            <button type="button" aria-pressed={one === state} onClick={() => ask({ state: one })}>
              {one}
            </button>
          </li>
        ))}
      </ul>
      <Paged list={list} empty={<p>No {state} tokens.</p>}>
        {(items) => (
          <div class="scrolled">
            <table class="stacked">
              <thead>
                <tr>
                  <th scope="col">Name</th>
                  <th scope="col">May</th>
                  <th scope="col">Last used</th>
                  <th scope="col">Ends</th>
                  <th scope="col">
                    <span class="unseen">What can be done</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {items.map((token) => (
                  <Row key={token.id} token={token} changed={list.refresh} show={setMade} />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Paged>
      <NewToken
        done={(token) => {
          setMade(token);
          list.refresh();
        }}
      />
      {made && <ShownOnce made={made} close={() => setMade(null)} />}
    </Settings>
  );
};
