/** How a port answered over time: a lane for each location, told apart by height, colour and pattern. */
import { useRef, useState } from "preact/hooks";
import { type LaneStretch, lanePaths } from "../../../../shared/drawing/lanes.ts";
import { lasting, when } from "../words.ts";
import { useWidth } from "./width.ts";

const HEIGHT = 22;
/** Lines over the colour, by port state; `open` has none. */
const PATTERNS: Readonly<Record<string, string>> = {
  filtered: "M0 6L6 0",
  "open|filtered": "M0 6L6 0",
  unresolved: "M3 0V6",
  mismatch: "M0 3H6",
  "tls-error": "M0 6L6 0M0 0L6 6",
  unmeasured: "M3 3h.1",
};
const idOf = (state: string) => `lane-${state.replace("|", "-")}`;

/** Once for all lanes of a page. */
const Patterns = () => (
  <svg class="unseen" aria-hidden="true">
    {Object.entries(PATTERNS).map(([state, d]) => (
      <pattern key={state} id={idOf(state)} width={6} height={6} patternUnits="userSpaceOnUse">
        <path class="hatch" d={d} />
      </pattern>
    ))}
  </svg>
);

const Shape = ({ health, state, d }: { readonly health: string; readonly state: string; readonly d: string }) => (
  <>
    <path class={`bar-${health}`} d={d} />
    {PATTERNS[state] && <path d={d} style={{ fill: `url(#${idOf(state)})` }} />}
  </>
);

const KEYS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };

interface Span {
  /** Epoch milliseconds. */
  readonly from: number;
  readonly to: number;
}

interface LaneProps {
  readonly location: string;
  readonly stretches: readonly LaneStretch[];
  readonly span: Span;
  readonly width: number;
}

const describe = ({ from, to, state, health, reason }: LaneStretch) =>
  `${when(from)}, for ${lasting((Date.parse(to) - Date.parse(from)) / 1000)}: ${state}${reason ? `, ${reason}` : ""} (${health})`;

const Lane = ({ location, stretches, span, width }: LaneProps) => {
  const [chosen, choose] = useState<number | null>(null);
  const last = stretches.length - 1;
  const shown = stretches[chosen ?? last]!;
  const onKeyDown = (event: KeyboardEvent) => {
    const by = KEYS[event.key];
    const to = event.key === "Home" ? 0 : event.key === "End" ? last : undefined;
    if (by === undefined && to === undefined) return;
    event.preventDefault();
    choose(to ?? Math.max(0, Math.min(last, (chosen ?? last + 1) + by!)));
  };
  const onPointerMove = (event: PointerEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const at = span.from + ((event.clientX - box.left) / box.width) * (span.to - span.from);
    const index = stretches.findLastIndex(({ from }) => Date.parse(from) <= at);
    choose(index >= 0 && Date.parse(stretches[index]!.to) >= at ? index : null);
  };
  return (
    <div class="lane">
      <span>{location}</span>
      <svg
        class="bars"
        width={width}
        height={HEIGHT}
        role="slider"
        tabindex={0}
        aria-label={`How the port answered, seen from ${location}`}
        aria-valuemin={0}
        aria-valuemax={last}
        aria-valuenow={chosen ?? last}
        aria-valuetext={describe(shown)}
        onKeyDown={onKeyDown}
        onPointerMove={onPointerMove}
        onPointerDown={onPointerMove}
        onPointerLeave={() => choose(null)}
      >
        {lanePaths(stretches, span, { width, height: HEIGHT }).map((path) => (
          <Shape key={`${path.health} ${path.state}`} {...path} />
        ))}
      </svg>
      <span class="dim small">{chosen === null ? " " : describe(shown)}</span>
    </div>
  );
};

interface LanesProps {
  readonly lanes: readonly { readonly location: string; readonly stretches: readonly LaneStretch[] }[];
  readonly span: Span;
}

export const Lanes = ({ lanes, span }: LanesProps) => {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const kinds = new Map(
    lanes.flatMap(({ stretches }) => stretches.map(({ state, health }) => [`${state} ${health}`, { state, health }])),
  );
  return (
    <div ref={box}>
      <Patterns />
      {lanes.map(({ location, stretches }) => (
        <Lane key={location} location={location} stretches={stretches} span={span} width={width} />
      ))}
      <div class="lane-ends dim small">
        <span>{when(span.from)}</span>
        <span>{when(span.to)}</span>
      </div>
      <p class="legend lane-legend">
        {[...kinds.values()].map(({ state, health }) => (
          <span key={`${state} ${health}`}>
            <svg class="bars" viewBox="0 0 16 12" aria-hidden="true">
              <Shape health={health} state={state} d="M0 0h16v12h-16z" />
            </svg>
            {state}
            {health !== "up" && health !== "down" && `, ${health}`}
          </span>
        ))}
      </p>
    </div>
  );
};
