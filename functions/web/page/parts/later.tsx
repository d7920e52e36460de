/** Components of the second script, which is loaded when the first of them is needed. */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Failed } from "./notice.tsx";

type More = typeof import("../more.ts");

/** Undefined until the script has come. */
export const useMore = (): { readonly more: More | undefined; readonly failure: unknown } => {
  const [more, setMore] = useState<More>();
  const [failure, setFailure] = useState<unknown>(null);
  useEffect(() => {
    import("../more.ts").then(setMore, () =>
      // A newer version may have replaced the file.
      setFailure(new Error("This page could not be loaded. Reload to get the newest version.")),
    );
  }, []);
  return { more, failure };
};

interface LaterProps {
  readonly name: keyof More;
  /** What the address names, such as the id of a monitor. */
  readonly id: string;
}

/** A page of the second script. */
export const Later = ({ name, id }: LaterProps) => {
  const { more, failure } = useMore();
  if (failure !== null)
    return (
      <main id="main">
        <Failed failure={failure} retry={() => location.reload()} />
      </main>
    );
  if (!more) return <main id="main" aria-busy="true" />;
  const Content = more[name] as ComponentType<{ readonly id: string }>;
  return <Content key={`${name} ${id}`} id={id} />;
};
