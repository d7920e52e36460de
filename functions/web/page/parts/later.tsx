/** The second script, which is loaded when something of it is needed first. */
import type { ComponentChildren, ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Failed } from "./notice.tsx";

type More = typeof import("../more.ts");

interface WithMoreProps {
  readonly children: (more: More) => ComponentChildren;
  /** Shown until the script has come. */
  readonly before?: ComponentChildren;
}

export const WithMore = ({ children, before = null }: WithMoreProps) => {
  const [more, setMore] = useState<More>();
  const [failure, setFailure] = useState<unknown>(null);
  useEffect(() => {
    import("../more.ts").then(setMore, () =>
      // A newer version may have replaced the file.
      setFailure(new Error("A part of this page could not be loaded. Reload to get the newest version.")),
    );
  }, []);
  if (failure !== null) return <Failed failure={failure} retry={() => location.reload()} />;
  return <>{more ? children(more) : before}</>;
};

/** What else the second script has, such as dialogs, is no page. */
export type LaterPage = Extract<keyof More, `${string}Page`>;

interface LaterProps {
  readonly name: LaterPage;
  /** What the address names, such as the id of a monitor. */
  readonly id: string;
}

/** A page of the second script. */
export const Later = ({ name, id }: LaterProps) => (
  <WithMore before={<main id="main" aria-busy="true" />}>
    {(more) => {
      const Content: ComponentType<{ readonly id: string }> = more[name];
      return <Content key={`${name} ${id}`} id={id} />;
    }}
  </WithMore>
);
