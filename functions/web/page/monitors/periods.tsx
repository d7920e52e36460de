/** What the parts of a monitor's history have in common: a choice of periods, and answers that are read anew. */
import { useEffect, useState } from "preact/hooks";

/** Reads anew when an input changes. An answer that comes too late is dropped. */
export const useAnswer = <Answer,>(load: () => Promise<Answer>, inputs: readonly unknown[]) => {
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  useEffect(() => {
    let isWanted = true;
    load().then(
      (found) => {
        if (!isWanted) return;
        setAnswer(found);
        setFailure(null);
      },
      (error: unknown) => isWanted && setFailure(error),
    );
    return () => {
      isWanted = false;
    };
  }, inputs);
  return { answer, failure };
};

/** Changes when what depends on the time is to be read anew. */
export const useBeat = (everyMs: number) => {
  const [beat, setBeat] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && setBeat((before) => before + 1), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return beat;
};

export const Choice = <Option extends { readonly name: string }>({
  label,
  options,
  chosen,
  choose,
}: {
  readonly label: string;
  readonly options: readonly Option[];
  readonly chosen: Option | null;
  readonly choose: (option: Option) => void;
}) => (
  <ul class="chips" aria-label={label}>
    {options.map((option) => (
      <li key={option.name}>
        <button type="button" aria-pressed={option === chosen} onClick={() => choose(option)}>
          {option.name}
        </button>
      </li>
    ))}
  </ul>
);
