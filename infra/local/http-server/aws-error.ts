/** An AWS service's error response; the gateway writes it in the service's wire format. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  /** SQS only: the name that the older query protocol used, sent as `x-amzn-query-error`. */
  readonly queryCode: string;
  /** Further fields of the JSON body. */
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
