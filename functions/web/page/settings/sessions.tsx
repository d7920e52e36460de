/** Who is logged in with a browser. */
import { call, get } from "../api.ts";
import { useAction, useLoaded } from "../live.ts";
import type { Page } from "../model.ts";
import { Failed } from "../parts/notice.tsx";
import { Paged, usePaged } from "../parts/paged.tsx";
import { Ago } from "../parts/time.tsx";
import { may, session } from "../session.ts";
import { when } from "../words.ts";
import { Settings } from "./settings.tsx";

interface OtherSession {
  readonly id: string;
  readonly tokenId: string;
  readonly isRemembered: boolean;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly sourceIp: string;
  readonly userAgent: string;
}

const BROWSERS = ["Firefox", "Edg", "OPR", "Chrome", "Safari"];
const SYSTEMS = ["Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux"];
/** `Chrome on Linux`: browsers give the names of others as well, so the order counts. */
const browserOf = (userAgent: string): string => {
  const browser = BROWSERS.find((name) => userAgent.includes(name));
  const system = SYSTEMS.find((name) => userAgent.includes(name));
  if (!browser) return userAgent || "unknown";
  return `${browser.replace("Edg", "Edge").replace("OPR", "Opera")}${system ? ` on ${system}` : ""}`;
};

const Row = ({
  one,
  name,
  ended,
}: {
  readonly one: OtherSession;
  readonly name: string;
  readonly ended: () => void;
}) => {
  const { failure, isBusy, run } = useAction();
  const isOwn = one.id === session.value?.id;
  return (
    <tr>
      <td dir="auto">
        {name}
        {isOwn && <strong> (this one)</strong>}
      </td>
      <td title={one.userAgent} data-label="Browser">
        {browserOf(one.userAgent)}
      </td>
      <td data-label="Address">{one.sourceIp}</td>
      <td data-label="Logged in">
        <Ago at={one.createdAt} />
      </td>
      <td data-label="Ends unless used">
        {one.expiresAt && when(one.expiresAt)}
        {one.isRemembered && <div class="dim small">stays logged in</div>}
      </td>
      <td>
        {!isOwn && (
          <button
            type="button"
            disabled={isBusy}
            aria-label={`End the session of ${name} from ${one.sourceIp}`}
            onClick={() =>
              run(async () => {
                await call("DELETE", `/v1/sessions/${one.id}`);
                ended();
              })
            }
          >
            End
          </button>
        )}
        {failure !== null && <Failed failure={failure} />}
      </td>
    </tr>
  );
};

export const SessionsPage = () => {
  const isAdmin = may("admin");
  const list = usePaged<OtherSession>(isAdmin ? "/v1/sessions?limit=50" : "");
  const names = useLoaded(async (isPoll) => {
    if (!isAdmin) return new Map<string, string>();
    const { items } = await get<Page<{ readonly id: string; readonly name: string }>>("/v1/tokens?limit=200", {
      isPoll,
    });
    return new Map(items.map(({ id, name }) => [id, name]));
  }, 5 * 60_000).answer;
  return (
    <Settings title="Sessions" isForAdmins>
      <p class="dim">Browsers that are logged in. To end all of a token's sessions, revoke or rotate the token.</p>
      <Paged list={list} empty={<p>Nobody is logged in.</p>}>
        {(items) => (
          <div class="scrolled">
            <table class="stacked">
              <thead>
                <tr>
                  <th scope="col">Token</th>
                  <th scope="col">Browser</th>
                  <th scope="col">Address</th>
                  <th scope="col">Logged in</th>
                  <th scope="col">Ends unless used</th>
                  <th scope="col">
                    <span class="unseen">What can be done</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {items.map((one) => (
                  <Row key={one.id} one={one} name={names?.get(one.tokenId) ?? one.tokenId} ended={list.refresh} />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Paged>
    </Settings>
  );
};
