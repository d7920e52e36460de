/**
 * One monitor in the list: a single component. Mark and bars are called as functions: as components, which each keep a
 * subscription of their own, they would be a third of the processor time that a list of 1,000 takes to be drawn.
 */
import type { ComponentChild } from "preact";
import type { BarStep, Row } from "../model.ts";
import { StatusMark } from "../parts/status.tsx";
import { Bars } from "../parts/uptime-bars.tsx";
import { milliseconds, percent, target, when } from "../words.ts";

interface CellsProps {
  readonly row: Row;
  readonly step: BarStep;
  readonly isSelected: boolean;
  /** How long its status has lasted, in words. */
  readonly lasted: string;
  readonly isMaintained: boolean;
  /** Undefined where nothing can be done with a selection. */
  readonly select: ((id: string, isRange: boolean) => void) | undefined;
}

const Cells = ({ row, step, isSelected, lasted, isMaintained, select }: CellsProps) => {
  const { id, name, protocol, status, since, tags, bars, downSeconds, message } = row;
  const isWell = status === "up" || status === "paused" || status === "pending";
  return (
    <>
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
        <time class="dim small" dateTime={since} title={`since ${when(since)}`}>
          {`for ${lasted}`}
        </time>
        {isMaintained && <div class="is-maintenance small">in maintenance</div>}
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
    </>
  );
};

/** Cells as they were drawn, by the id of their row. */
export type DrawnCells = Map<string, { readonly from: CellsProps; readonly element: ComponentChild }>;

const isSame = (a: CellsProps, b: CellsProps) =>
  a.row === b.row &&
  a.step === b.step &&
  a.isSelected === b.isSelected &&
  a.lasted === b.lasted &&
  a.isMaintained === b.isMaintained &&
  a.select === b.select;

/** Preact passes over a component that is the same element as before. What nobody sees stays as it was drawn. */
export const cellsOf = (from: CellsProps, isShown: boolean, drawn: DrawnCells): ComponentChild => {
  const before = drawn.get(from.row.id);
  if (before && (!isShown || isSame(before.from, from))) return before.element;
  const element = <Cells {...from} />;
  drawn.set(from.row.id, { from, element });
  return element;
};
