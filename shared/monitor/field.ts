/** How a setting of a monitor is declared: what is stored, what callers may send, and what stands in for what they leave out. */
import type { z } from "zod";
import { fields } from "../schema.ts";

/** What a default may depend on: fields that are declared before it, and the configured locations. */
export interface Surroundings {
  readonly protocol: string;
  readonly intervalSeconds: number;
  readonly timeoutMs: number;
  /** Names of the locations that are configured. */
  readonly available: readonly string[];
}

export interface Field<Stored extends z.ZodType = z.ZodType, Sent extends z.ZodType = z.ZodType> {
  /** Schema of the value that the table stores and the API shows. */
  readonly stored: Stored;
  /** Schema of the value that callers send. */
  readonly sent: Sent;
  /** Fills in the default if nothing, or only a part, was sent. */
  complete(sent: z.output<Sent> | undefined, others: Surroundings): z.output<Stored>;
  /** Whether the default depends on other fields, and so changes with them. */
  readonly follows: boolean;
}

/** @param example a value other than the default; shown in the OpenAPI document and sent by tests */
const described = <S extends z.ZodType>(schema: S, about: string, example: z.output<NoInfer<S>>): S =>
  schema.describe(about).meta({ examples: [example] }) as S;

export const required = <S extends z.ZodType>(schema: S, about: string, example: z.output<NoInfer<S>>): Field<S, S> => {
  const field = described(schema, about, example);
  return { stored: field, sent: field, complete: (sent) => sent as z.output<S>, follows: false };
};

/** @param fallback the default, or a function that computes it from other fields */
export const optional = <S extends z.ZodType>(
  schema: S,
  fallback: z.output<NoInfer<S>> | ((others: Surroundings) => z.output<NoInfer<S>>),
  about: string,
  example: z.output<NoInfer<S>>,
): Field<S, z.ZodOptional<S>> => {
  const field = described(schema, about, example);
  const follows = typeof fallback === "function";
  const defaultOf = follows ? (fallback as (others: Surroundings) => z.output<S>) : () => fallback as z.output<S>;
  const complete = (sent: z.output<S> | undefined, others: Surroundings) => sent ?? defaultOf(others);
  return { stored: field, sent: field.optional() as z.ZodOptional<S>, complete, follows };
};

/**
 * An object whose properties may be left out one by one.
 * @param name of its schema in the OpenAPI document
 * @param complete fills in the missing ones
 */
export const partial = <S extends z.ZodRawShape>(
  name: string,
  shape: S,
  complete: (sent: Partial<z.output<z.ZodObject<S>>>, others: Surroundings) => z.output<z.ZodObject<S>>,
  about: string,
  example: z.output<z.ZodObject<S>>,
  { follows = false } = {},
) => {
  const field = fields(shape);
  return {
    stored: described(field, about, example as never).meta({ id: name }),
    sent: described(field.partial(), about, example as never)
      .meta({ id: `${name}Input` })
      .optional(),
    complete(sent: z.output<ReturnType<typeof field.partial>> | undefined, others: Surroundings) {
      return complete((sent ?? {}) as never, others);
    },
    follows,
  };
};

/** An object whose properties may be left out one by one, or null, which is the default. */
export const partialOrNull = <S extends z.ZodRawShape>(
  name: string,
  shape: S,
  complete: (sent: Partial<z.output<z.ZodObject<S>>>) => z.output<z.ZodObject<S>>,
  about: string,
  example: z.output<z.ZodObject<S>>,
) => {
  const field = fields(shape);
  return {
    stored: described(field.meta({ id: name, description: about }).nullable(), about, example as never),
    sent: described(
      field
        .partial()
        .meta({ id: `${name}Input`, description: about })
        .nullable(),
      about,
      example as never,
    ).optional(),
    complete: (given: z.output<ReturnType<typeof field.partial>> | null | undefined) =>
      given ? complete(given as never) : null,
    follows: false,
  };
};
