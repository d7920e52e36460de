/** Routing of an HTTP API: selects the route that answers a request (API Gateway Developer Guide, "Routing API requests"). */
export interface Route {
  /** `GET /v1/monitors/{id}`, `ANY /v1/{proxy+}` or `$default`. */
  readonly key: string;
}

export interface RouteMatch<R extends Route> {
  readonly route: R;
  readonly pathParameters: Readonly<Record<string, string>> | undefined;
}

interface Compiled<R extends Route> {
  readonly route: R;
  readonly method: string;
  readonly pattern: RegExp;
  /** Sort key, the most specific first: literal, variable, greedy variable, `$default`. */
  readonly rank: string;
}

export const createRouter = <R extends Route>(routes: readonly R[]) => {
  const compiled = routes.map(compile).sort((a, b) => (a.rank < b.rank ? -1 : 1));
  return (method: string, path: string): RouteMatch<R> | undefined => {
    for (const { route, method: wanted, pattern } of compiled) {
      if (wanted !== "ANY" && wanted !== method) continue;
      const found = pattern.exec(path);
      if (found) return { route, pathParameters: parameters(found.groups) };
    }
    return undefined;
  };
};

const compile = <R extends Route>(route: R): Compiled<R> => {
  if (route.key === "$default") return { route, method: "ANY", pattern: /^/, rank: "9" };
  const [method, path] = route.key.split(" ") as [string, string];
  const segments = path.split("/").slice(1);
  const pattern = segments.map((segment) => {
    const name = /^\{(\w+)(\+?)\}$/.exec(segment);
    if (!name) return segment.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return name[2] ? `(?<${name[1]}>.+)` : `(?<${name[1]}>[^/]+)`;
  });
  const rank = segments
    .map((segment) => (!segment.startsWith("{") ? "0" : segment.endsWith("+}") ? "2" : "1"))
    .join("");
  return {
    route,
    method,
    pattern: new RegExp(`^/${pattern.join("/")}$`),
    rank: `${rank}${method === "ANY" ? "1" : "0"}`,
  };
};

const parameters = (groups: Record<string, string> | undefined): Record<string, string> | undefined =>
  groups === undefined
    ? undefined
    : Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decoded(value)]));

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
