/** An error as an AWS service answers it; the gateway writes it in the service's own wire format. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  /** SQS only: the name that the older query protocol used, sent as `x-amzn-query-error`. */
  readonly queryCode: string;
  /** Further fields of the JSON body, such as the item on a failed condition. */
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(
    code: string,
    message: string,
    options: { status?: number; queryCode?: string; fields?: Record<string, unknown> } = {},
  ) {
    super(message);
    this.code = code;
    this.status = options.status ?? 400;
    this.queryCode = options.queryCode ?? code;
    this.fields = options.fields ?? {};
  }
}
