/** The first call of the list, which is made before the page's script has come. */
export const PERIODS = ["24h", "7d", "30d", "90d"] as const;
export type Period = (typeof PERIODS)[number];

export const periodIn = (query: URLSearchParams): Period =>
  PERIODS.find((period) => period === query.get("bars")) ?? "24h";

/** So few rows are there at once; what needs attention is among them. */
const FIRST = 50;
export const overviewUrl = (parameters: Readonly<Record<string, string>>) =>
  `/v1/overview?${new URLSearchParams(parameters)}`;
export const firstUrl = (period: Period) => overviewUrl({ bars: period, limit: String(FIRST) });

export const isList = (path: string) => path === "/" || path === "/monitors";
