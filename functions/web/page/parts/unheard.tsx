/** Monitors of whose trouble nobody would hear: on top of the pages on which that can be mended. */
import { useEffect, useState } from "preact/hooks";
import { get } from "../api.ts";
import type { Page } from "../model.ts";

const MOST_SHOWN = 5;

interface Named {
  readonly id: string;
  readonly name: string;
}

/** @param version of what the page changes, such as a number: after a change it is asked again; undefined: not yet */
export const Unheard = ({ version }: { readonly version: unknown }) => {
  const [found, setFound] = useState<readonly Named[]>([]);
  const path = `/v1/monitors?reachesNobody=true&fields=name&limit=${MOST_SHOWN + 1}`;
  useEffect(() => {
    if (version === undefined) return;
    // Without an answer the page still says what it is for.
    get<Page<Named>>(path).then(
      ({ items }) => setFound(items),
      () => {},
    );
  }, [version]);
  if (found.length === 0) return null;
  return (
    <div class="notice">
      <strong>Nobody would hear of trouble with these monitors:</strong>
      <ul class="plain-list links spread">
        {found.slice(0, MOST_SHOWN).map(({ id, name }) => (
          <li key={id}>
            <a href={`/monitors/${id}`} dir="auto">
              {name}
            </a>
          </li>
        ))}
        {found.length > MOST_SHOWN && <li>and others</li>}
      </ul>
    </div>
  );
};
