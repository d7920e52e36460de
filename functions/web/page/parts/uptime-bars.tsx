/** Status over time as a strip of bars. */
import { useState } from "preact/hooks";
import { BAR, barPaths, kindOf, widthOf } from "../../../../shared/drawing/bars.ts";
import type { BarStep } from "../model.ts";
import { lasting, onUtcDay, plural, when } from "../words.ts";

type DownSeconds = Readonly<Record<string, number>>;

const STEP_SECONDS = { "1h": 3_600, "6h": 21_600, "1d": 86_400 } as const;
const STEP_WORDS = { "1h": "hour", "6h": "six hours", "1d": "day" } as const;

const drawn = new Map<string, ReturnType<typeof barPaths>>();
/** Many monitors have the same bars. */
const pathsOf = (bars: string) => {
  const known = drawn.get(bars);
  if (known) return known;
  if (drawn.size > 5_000) drawn.clear();
  const paths = barPaths(bars);
  drawn.set(bars, paths);
  return paths;
};

/** What the strip says to whoever does not see it. */
const summary = (bars: string, downSeconds: DownSeconds, step: BarStep) => {
  const known = [...bars].filter((letter) => letter !== "n").length;
  const down = Object.values(downSeconds);
  const unit = step === "6h" ? "span of six hours" : STEP_WORDS[step];
  const units = step === "6h" ? "spans of six hours" : `${STEP_WORDS[step]}s`;
  const time = down.length > 0 ? `, ${lasting(down.reduce((sum, seconds) => sum + seconds, 0))} in all` : "";
  return `${plural(known, unit, units)} with data, ${down.length} with downtime${time}`;
};

interface BarsProps {
  readonly bars: string;
  readonly downSeconds: DownSeconds;
  readonly step: BarStep;
}

const pathElements = (bars: string) =>
  pathsOf(bars).map(({ kind, d }) => <path key={kind} class={`bar-${kind}`} d={d} />);

/** For a row of a list: a picture with a description. */
export const Bars = ({ bars, downSeconds, step }: BarsProps) => (
  <svg
    class="bars"
    viewBox={`0 0 ${widthOf(bars.length)} ${BAR.height}`}
    preserveAspectRatio="none"
    role="img"
    aria-label={summary(bars, downSeconds, step)}
  >
    {pathElements(bars)}
  </svg>
);

const KEYS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -7, PageDown: 7 };

interface ReadableBarsProps extends BarsProps {
  readonly from: string;
  /** Opens the time of a bar; absent where there is nothing to open. */
  readonly open?: ((span: { readonly name: string; readonly from: string; readonly to: string }) => void) | undefined;
}

/** For the page of a monitor: each bar can be read with the mouse, by touch and with the arrow keys; the strip is one tab stop. */
export const ReadableBars = ({ bars, downSeconds, step, from, open }: ReadableBarsProps) => {
  const [chosen, choose] = useState<number | null>(null);
  const last = bars.length - 1;
  const within = (index: number) => Math.max(0, Math.min(last, index));
  const startOf = (index: number) => Date.parse(from) + index * STEP_SECONDS[step] * 1000;
  const beginOf = (index: number) => {
    const at = startOf(index);
    return step === "1d" ? onUtcDay(at) : when(at);
  };
  const describe = (index: number) => {
    const down = downSeconds[String(index)];
    return `${beginOf(index)}: ${kindOf(bars[index] ?? "n").replace("-", " ")}${down ? `, down for ${lasting(down)}` : ""}`;
  };
  const openBar = (index: number) => {
    const end = Math.min(startOf(index + 1), Date.now());
    open?.({
      name: `${beginOf(index)}, one ${STEP_WORDS[step]}`.replace("one six hours", "six hours"),
      from: new Date(startOf(index)).toISOString(),
      to: new Date(end).toISOString(),
    });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter") openBar(chosen ?? last);
    const by = KEYS[event.key];
    const to = event.key === "Home" ? 0 : event.key === "End" ? last : undefined;
    if (by === undefined && to === undefined) return;
    event.preventDefault();
    choose(to ?? within((chosen ?? last + 1) + by!));
  };
  const onPointerMove = (event: PointerEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    choose(within(Math.floor(((event.clientX - box.left) / box.width) * bars.length)));
  };
  return (
    <>
      <svg
        class="bars large"
        viewBox={`0 0 ${widthOf(bars.length)} ${BAR.height}`}
        preserveAspectRatio="none"
        role="slider"
        tabindex={0}
        aria-label={`Status by ${STEP_WORDS[step]}: ${summary(bars, downSeconds, step)}`}
        aria-valuemin={0}
        aria-valuemax={last}
        aria-valuenow={chosen ?? last}
        aria-valuetext={describe(chosen ?? last)}
        onKeyDown={onKeyDown}
        onPointerMove={onPointerMove}
        onPointerDown={onPointerMove}
        onPointerLeave={() => choose(null)}
        onClick={() => chosen !== null && openBar(chosen)}
      >
        {pathElements(bars)}
        {chosen !== null && (
          <path
            class="chosen"
            vector-effect="non-scaling-stroke"
            d={`M${chosen * (BAR.width + BAR.gap)} 0h${BAR.width}v${BAR.height}h-${BAR.width}z`}
          />
        )}
      </svg>
      <p class="dim small" style={{ margin: ".25rem 0 0", minHeight: "1.3rem" }}>
        {chosen === null
          ? `${beginOf(0)} to now, one bar for each ${STEP_WORDS[step]}${open ? "; a click or Enter opens it" : ""}`
          : describe(chosen)}
      </p>
    </>
  );
};
