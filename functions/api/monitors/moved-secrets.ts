/** Keeps secrets from callers who may not read them: they could have a probe send a stored secret to a server of theirs. */
import { InvalidInput } from "../../../shared/errors.ts";
import type { MonitorSettings } from "../../../shared/model.ts";
import { HIDDEN, secretsOf } from "../../../shared/protocols/secrets.ts";
import type { Token } from "../../../shared/store/tokens.ts";
import { hasScope } from "../http/auth.ts";
import { isOtherTarget } from "./with-settings.ts";

/**
 * Refuses to check another target with secrets that are stored, for tokens without the scope `write`.
 * @param sent `settings` as the caller sent them: a secret in there is the caller's own
 * @param base path of the monitor in the body, such as `monitors[3]`
 * @throws InvalidInput
 */
export const refuseMovedSecrets = (
  token: Token | null,
  before: MonitorSettings,
  after: MonitorSettings,
  sent: unknown,
  base = "",
): void => {
  if ((token && hasScope(token, "write")) || !isOtherTarget(before, after)) return;
  const own = secretsOf(after.protocol, sent);
  const moved = [...secretsOf(after.protocol, after.settings).keys()].filter(
    (path) => own.get(path) === undefined || own.get(path) === HIDDEN,
  );
  if (moved.length > 0)
    throw new InvalidInput(
      moved.map((path) => ({
        path: `${base ? `${base}.` : ""}settings.${path}`,
        message: "must be sent again when the target changes, because this token may not read it",
      })),
    );
};
