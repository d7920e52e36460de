/**
 * CloudWatch metric math as far as the template uses it: sums of metrics, `FILL(m0, 0) + FILL(m1, 0)`, and the difference
 * of such a sum from the period before, `DIFF(FILL(m, 0))`.
 */
export type Term = { readonly id: string; readonly fill: number | undefined };

const TERM = /^\s*(?:FILL\(\s*([a-z]\w*)\s*,\s*(-?\d+(?:\.\d+)?)\s*\)|([a-z]\w*))\s*$/;

export interface Expression {
  readonly terms: readonly Term[];
  readonly isDifference: boolean;
}

/** @throws for any other expression: an alarm with a wrong value is worse than none */
export const parseExpression = (expression: string): Expression => {
  const [, inner] = /^\s*DIFF\((.*)\)\s*$/.exec(expression) ?? [];
  const terms = (inner ?? expression).split("+").map((text) => {
    const [, filled, fill, plain] = TERM.exec(text) ?? [];
    const id = filled ?? plain;
    if (id === undefined) throw new Error(`the expression ${expression} is no sum of metrics: not supported here`);
    return { id, fill: fill === undefined ? undefined : Number(fill) };
  });
  return { terms, isDifference: inner !== undefined };
};

/** @returns undefined when a metric has neither a value nor a FILL */
export const addUp = (terms: readonly Term[], read: (id: string) => number | undefined): number | undefined => {
  const values = terms.map(({ id, fill }) => read(id) ?? fill);
  return values.includes(undefined) ? undefined : (values as number[]).reduce((sum, value) => sum + value, 0);
};
