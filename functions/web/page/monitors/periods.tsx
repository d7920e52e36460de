/** What the parts of a monitor's history have in common: a choice of periods, and answers that are read anew. */
import { useEffect, useRef, useState } from "preact/hooks";

/**
 * Reads anew when an input changes: an answer to the question before is dropped then. It also does when `beat` changes, unless
 * it still waits for an answer to the same question: a slow server would never be heard out.
 */
export const useAnswer = <Answer,>(load: () => Promise<Answer>, inputs: readonly unknown[], beat: unknown) => {
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const question = useRef(0);
  const isWaiting = useRef(false);
  const read = async () => {
    const own = question.current;
    isWaiting.current = true;
    try {
      const found = await load();
      if (own !== question.current) return;
      setAnswer(found);
      setFailure(null);
    } catch (error) {
      if (own === question.current) setFailure(error);
    } finally {
      if (own === question.current) isWaiting.current = false;
    }
  };
  useEffect(() => {
    void read();
    return () => {
      question.current++;
    };
  }, inputs);
  useEffect(() => {
    if (!isWaiting.current) void read();
  }, [beat]);
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
