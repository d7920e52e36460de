/** Log in with a token. */
import { useEffect, useState } from "preact/hooks";
import { CallFailure } from "../api.ts";
import { Failed } from "../parts/notice.tsx";
import { destination, query, replace } from "../router.ts";
import { logIn } from "../session.ts";

const isLoopback = /^(localhost|127\.|\[::1\])/.test(location.host);

/** A code in the address, which `npm start` prints: it logs in once. Taken out of the address at once. */
const takeCode = (): string | null => {
  const code = location.hash.slice(1);
  if (code) history.replaceState(null, "", location.pathname + location.search);
  return code || null;
};

export const LoginPage = () => {
  const [failure, setFailure] = useState<CallFailure | null>(null);
  const [isBusy, setBusy] = useState(false);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    return enter(String(form.get("token")), form.has("remember"));
  };
  const enter = async (token: string, isRemembered: boolean) => {
    setBusy(true);
    setFailure(null);
    try {
      await logIn(token, isRemembered);
      replace(destination(query.peek().get("to")));
    } catch (error) {
      setFailure(error instanceof CallFailure ? error : new CallFailure(String(error), { status: 0 }));
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => {
    const code = takeCode();
    if (code !== null) void enter(code, false);
  }, []);
  return (
    <main id="main" class="login">
      <h1 tabIndex={-1}>Log in</h1>
      <p class="dim">
        With a token: <code>npm start</code> prints one, <code>npm run token</code> makes one.
      </p>
      {location.protocol === "http:" && !isLoopback && (
        <p class="notice">This page came over plain HTTP: everybody on the way can read the token.</p>
      )}
      {failure && <Failed failure={failure} />}
      <form onSubmit={(event) => void submit(event)}>
        {/* Password managers keep a password only beside a user name. */}
        <input
          class="unseen"
          name="username"
          autocomplete="username"
          value="harborlight"
          tabIndex={-1}
          aria-hidden="true"
          readOnly
        />
        <label class="field">
          <span>Token</span>
          <input name="token" type="password" autocomplete="current-password" required autofocus spellcheck={false} />
        </label>
        <p>
          <label>
            <input type="checkbox" name="remember" /> Stay logged in for 30 days
          </label>
        </p>
        <button class="primary" type="submit" disabled={isBusy}>
          {isBusy ? "Logging in…" : "Log in"}
        </button>
      </form>
    </main>
  );
};
