/** What this browser keeps of a session beside its cookie, which no script can see. */

/** Whether this browser has logged in: asking for nothing would be an error in its console. */
const KNOWN = "harborlight-logged-in";
export const isKnown = (): boolean => localStorage.getItem(KNOWN) !== null;

/**
 * Over plain http the cookie alone is not enough, because other servers of this machine see it (cookies ignore ports): a
 * second secret goes along as a header. Browser storage belongs to this port alone.
 */
const SECRET = "harborlight-session";
export const secretHeader = (): Record<string, string> => {
  const secret = sessionStorage.getItem(SECRET) ?? localStorage.getItem(SECRET);
  return secret === null ? {} : { [SECRET]: secret };
};

export const forget = (): void => {
  localStorage.removeItem(KNOWN);
  for (const storage of [sessionStorage, localStorage]) storage.removeItem(SECRET);
};

/** @param isRemembered whether the session outlives this window */
export const keep = (secret: string | null, isRemembered: boolean): void => {
  forget();
  localStorage.setItem(KNOWN, "yes");
  if (secret !== null) (isRemembered ? localStorage : sessionStorage).setItem(SECRET, secret);
};
