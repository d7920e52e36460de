/** List prices in us-east-1, in US dollars, without any free tier, as of 2026-11-01. All of them stand here. */
export const PRICES = {
  date: "2026-11-01",
  /** DynamoDB on demand, standard class. */
  writeUnit: 0.625e-6,
  readUnit: 0.125e-6,
  storageGbMonth: 0.25,
  recoveryGbMonth: 0.2,
  /** Lambda on arm64. */
  lambdaGbSecond: 0.000_013_333_4,
  lambdaRequest: 0.2e-6,
  sqsRequest: 0.4e-6,
  snsPublish: 0.5e-6,
  schedulerInvocation: 1e-6,
  logsGb: 0.5,
  logsGbMonth: 0.03,
  metricMonth: 0.3,
  alarmMonth: 0.1,
} as const;

/** What cannot be measured on one machine, and what is taken for it. */
export const ASSUMED = {
  /** One request to DynamoDB, SQS or SNS from Lambda in the same region, milliseconds. */
  requestMs: 6,
  /** Processor time of a check and of a request on a whole core, milliseconds: `npm run bench -- engine`, and the SDK. */
  checkCpuMs: 0.1,
  requestCpuMs: 1.5,
  /** Memory that comes with one whole core. */
  memoryOfCoreMb: 1769,
  /** A queue that Lambda polls: five long polls of 20 s at a time, however little arrives. */
  pollsPerQueueAndSecond: 5 / 20,
  /** Each message is received and deleted by itself, and sent in batches of at most ten. */
  messagesPerSend: 10,
  /** Environments log an EMF line a minute of so many bytes. */
  metricLineBytes: 900,
  daysPerMonth: 365 / 12,
} as const;
