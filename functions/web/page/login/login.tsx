/** Log in with a token. */
import { useEffect, useState } from "preact/hooks";
import { Failed } from "../parts/notice.tsx";
import { destination, query, replace } from "../router.ts";
import { logIn } from "../session.ts";
import { TokenForm } from "./token-form.tsx";

const isLoopback = /^(localhost|127\.|\[::1\])/.test(location.host);

/** A code in the address, which `npm start` prints: it logs in once. Taken out of the address at once. */
const takeCode = (): string | null => {
  const code = location.hash.slice(1);
  if (code) history.replaceState(null, "", location.pathname + location.search);
  return code || null;
};

const enter = () => replace(destination(query.peek().get("to")));

export const LoginPage = () => {
  const [failure, setFailure] = useState<unknown>(null);
  useEffect(() => {
    const code = takeCode();
    if (code !== null) logIn(code, false).then(enter, setFailure);
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
      {failure !== null && <Failed failure={failure} />}
      <TokenForm done={enter} />
    </main>
  );
};
