/** Ways from the dashboard to a status page, and between the pages about it. */
import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { useAction } from "../live.ts";
import { CopyField } from "../parts/copy-field.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Failed } from "../parts/notice.tsx";
import { SubPages } from "../parts/sub-pages.tsx";
import { mayWrite } from "../session.ts";
import { when } from "../words.ts";
import type { StatusPage } from "./page.ts";

interface Access {
  readonly path: string;
  readonly expiresAt: string;
}

/** Opens the public page; of a private one it makes a link that does without the password. */
export const Visit = ({ page: { id, title, path, visibility } }: { readonly page: StatusPage }) => {
  const [access, setAccess] = useState<Access | null>(null);
  const { failure, run } = useAction();
  if (visibility !== "private")
    return (
      <a class="button" href={path} target="_blank" rel="noopener" aria-label={`Open ${title} in a new tab`}>
        Open
      </a>
    );
  const close = () => setAccess(null);
  return (
    <>
      <button
        type="button"
        aria-label={`Make a link to ${title}`}
        onClick={() => run(async () => setAccess(await call<Access>("POST", `/v1/status-pages/${id}/links`)))}
      >
        Make a link…
      </button>
      {failure !== null && <Failed failure={failure} />}
      {access && (
        <Dialog title={`A link to ${title}`} close={close} isWide>
          <p>
            It opens the page without its password, until {when(access.expiresAt)}; a browser that has followed it sees
            the page for 12 hours. It is not shown again.
          </p>
          <CopyField label="Link" value={location.origin + access.path}>
            <a class="button" href={access.path} target="_blank" rel="noopener">
              Open it
            </a>
            <button type="button" onClick={close}>
              Done
            </button>
          </CopyField>
        </Dialog>
      )}
    </>
  );
};

export const PageNav = ({ id }: { readonly id: string }) => (
  <SubPages
    label="Status page"
    pages={[
      { to: `/status-pages/${id}`, name: "Settings" },
      { to: `/status-pages/${id}/notices`, name: "Notices" },
      ...(mayWrite.value ? [{ to: `/status-pages/${id}/subscribers`, name: "Subscribers" }] : []),
    ]}
  />
);
