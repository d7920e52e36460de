/** What a token limited to tags may do with status pages. */
import type { Deps } from "../deps.ts";
import { Problem } from "../http/problem.ts";

/** Status pages publish monitors whatever their tags: all are seen, and none is made or changed. */
export const limitedPages = ({ all, get, notices, preview, admit }: Deps["pages"]): Deps["pages"] => {
  const refuse = async (): Promise<never> => {
    throw new Problem(
      "missing-scope",
      "the token is limited to monitors with certain tags: status pages belong to all",
    );
  };
  const change = { create: refuse, update: refuse, remove: refuse };
  const subscribers = () => ({ all: refuse, get: refuse, ...change });
  return {
    all,
    get,
    preview,
    admit,
    ...change,
    putPreview: refuse,
    subscribers,
    notices: (id) => ({ ...notices(id), ...change }),
  };
};
