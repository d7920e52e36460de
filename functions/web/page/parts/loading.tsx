/** Grey rows in place of what is loading: not at once, because mostly it is there before anybody looks. */
import { useEffect, useState } from "preact/hooks";

export const Loading = () => {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 200);
    return () => clearTimeout(timer);
  }, []);
  return isLate ? (
    <div aria-busy="true">
      <span class="unseen">Loading</span>
      {[1, 2, 3, 4, 5, 6].map((line) => (
        <div key={line} class="placeholder" />
      ))}
    </div>
  ) : null;
};
