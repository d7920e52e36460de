/**
 * One monitor in the list. Nothing in it is a component, because each of those keeps a subscription of its own: in a list
 * of 1,000 they would be a third of the processor time that it takes to be drawn.
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

interface DrawnRow {
  readonly from: CellsProps;
  readonly cells: readonly ComponentChild[];
  readonly isShown: boolean;
  readonly element: ComponentChild;
}
/** Rows of a list as they were drawn, by id. */
export type DrawnRows = Map<string, DrawnRow>;

const draw = ({ row, step, isSelected, lasted, isMaintained, select }: CellsProps): readonly ComponentChild[] => {
  const { id, name, protocol, status, since, tags, bars, downSeconds, message } = row;
  const isWell = status === "up" || status === "paused" || status === "pending";
  return [
    select && (
      <div key="select" role="cell" class="check-cell">
        <input
          type="checkbox"
          aria-label={`Select ${name}`}
          checked={isSelected}
          onClick={(event) => select(id, event.shiftKey)}
        />
      </div>
    ),
    <div key="monitor" role="cell" class="first">
      <a class="name" href={`/monitors/${id}`} dir="auto">
        {name}
      </a>
      <div class="dim small sub">{`${protocol} ${target(row)}`}</div>
    </div>,
    <div key="status" role="cell" class="second">
      {StatusMark({ status })}
      <time class="dim small" dateTime={since} title={`since ${when(since)}`}>
        {`for ${lasted}`}
      </time>
      {isMaintained && <div class="is-maintenance small">in maintenance</div>}
    </div>,
    <div key="tags" role="cell" class="tags">
      {Object.entries(tags).map(([key, value]) => (
        <span key={key} class="tag" title={`${key}=${value}`}>
          {value || key}
        </span>
      ))}
    </div>,
    <div key="bars" role="cell" class="over">
      {Bars({ bars, downSeconds, step })}
    </div>,
    <div key="uptime" role="cell" class="number">
      {percent(row.uptimePercent)}
    </div>,
    <div key="latency" role="cell" class="number">
      {milliseconds(row.latencyMs)}
    </div>,
    !isWell && message && (
      <div key="message" role="cell" class="why small" dir="auto">
        {message}
      </div>
    ),
  ];
};

/**
 * A row that a search passes over is hidden, because drawing it anew later would cost more; one that was never shown is
 * not drawn. An element that is the same as before, Preact passes over.
 */
export const drawRow = (from: CellsProps, isShown: boolean, drawn: DrawnRows): ComponentChild => {
  const { row, isSelected, select } = from;
  const before = drawn.get(row.id);
  if (!before && !isShown) return null;
  const isSame =
    before?.from.row === row &&
    before.from.step === from.step &&
    before.from.isSelected === isSelected &&
    before.from.lasted === from.lasted &&
    before.from.isMaintained === from.isMaintained &&
    before.from.select === select;
  if (isSame && before.isShown === isShown) return before.element;
  const cells = isSame ? before.cells : draw(from);
  const element = (
    <div key={row.id} role="row" hidden={!isShown} aria-selected={select && isSelected}>
      {cells}
    </div>
  );
  drawn.set(row.id, { from, cells, isShown, element });
  return element;
};
