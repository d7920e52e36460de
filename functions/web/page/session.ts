/** Who is logged in, and what the session may do. */
import { computed, signal } from "@preact/signals";
import { SCOPES, type Scope } from "../../../shared/tokens.ts";
import { CallFailure, call, get, isSessionOver } from "./api.ts";
import { forget, isKnown, keep } from "./kept.ts";
import type { Session } from "./model.ts";

/** Undefined while the page asks; null: nobody. */
export const session = signal<Session | null | undefined>(undefined);
/** Each scope includes the ones before it. */
export const may = (scope: Scope): boolean =>
  session.value?.scopes.some((own) => SCOPES.indexOf(own) >= SCOPES.indexOf(scope)) ?? false;
/** May change monitors; alerts, incidents and maintenance need `mayWrite`. */
export const mayChangeMonitors = computed(() => may("deploy"));
export const mayWrite = computed(() => may("write"));

export const findSession = async (): Promise<void> => {
  if (!isKnown()) {
    session.value = null;
    return;
  }
  try {
    session.value = await get<Session>("/v1/session");
  } catch (error) {
    if (!(error instanceof CallFailure) || error.status !== 401) throw error;
    session.value = null;
  }
  isSessionOver.value = false;
};

/** @throws CallFailure with the reason that a person may read */
export const logIn = async (token: string, isRemembered: boolean): Promise<void> => {
  const answer = await call<Session & { readonly headerSecret: string | null }>("POST", "/v1/sessions", {
    body: { token, remember: isRemembered },
  });
  keep(answer.headerSecret, isRemembered);
  session.value = answer;
  isSessionOver.value = false;
};

export const logOut = async (): Promise<void> => {
  await call("DELETE", "/v1/session").catch(() => {});
  forget();
  isSessionOver.value = false;
  session.value = null;
};
