/**
 * One monitor in the list. Mark and bars are called as functions: as components, which each keep a subscription of
 * their own, they would be a third of the processor time that a list of 1,000 takes to be drawn.
 */
import { memo } from "preact/compat";
import type { BarStep, Row } from "../model.ts";
import { StatusMark } from "../parts/status.tsx";
import { For } from "../parts/time.tsx";
import { Bars } from "../parts/uptime-bars.tsx";
import { milliseconds, percent, target } from "../words.ts";

interface MonitorRowProps {
  readonly row: Row;
  readonly step: BarStep;
  readonly isSelected: boolean;
  /** Undefined where nothing can be done with a selection. */
  readonly select: ((id: string, isRange: boolean) => void) | undefined;
}

export const MonitorRow = memo(({ row, step, isSelected, select }: MonitorRowProps) => {
  const { id, name, protocol, status, since, tags, bars, downSeconds, message } = row;
  const isWell = status === "up" || status === "paused" || status === "pending";
  return (
    <div role="row" aria-selected={select && isSelected}>
      {select && (
        <div role="cell" class="check-cell">
          <input
            type="checkbox"
            aria-label={`Select ${name}`}
            checked={isSelected}
            onClick={(event) => select(id, event.shiftKey)}
          />
        </div>
      )}
      <div role="cell" class="first">
        <a class="name" href={`/monitors/${id}`} dir="auto">
          {name}
        </a>
        <div class="dim small sub">{`${protocol} ${target(row)}`}</div>
      </div>
      <div role="cell" class="second">
        {StatusMark({ status })}
        <div class="dim small">
          <For since={since} />
        </div>
      </div>
      <div role="cell" class="tags">
        {Object.entries(tags).map(([key, value]) => (
          <span key={key} class="tag" title={`${key}=${value}`}>
            {value || key}
          </span>
        ))}
      </div>
      <div role="cell" class="over">
        {Bars({ bars, downSeconds, step })}
      </div>
      <div role="cell" class="number">
        {percent(row.uptimePercent)}
      </div>
      <div role="cell" class="number">
        {milliseconds(row.latencyMs)}
      </div>
      {!isWell && message && (
        <div role="cell" class="why small" dir="auto">
          {message}
        </div>
      )}
    </div>
  );
});
