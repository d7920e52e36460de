/** The field for a token, as password managers want it. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Failed } from "../parts/notice.tsx";
import { logIn } from "../session.ts";

interface TokenFormProps {
  readonly done: () => void;
  /** Further buttons. */
  readonly children?: ComponentChildren;
}

export const TokenForm = ({ done, children }: TokenFormProps) => {
  const [failure, setFailure] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const element = event.currentTarget as HTMLFormElement;
    const form = new FormData(element);
    setBusy(true);
    setFailure(null);
    try {
      await logIn(String(form.get("token")), form.has("remember"));
      done();
    } catch (error) {
      setFailure(error);
      // The button that was pressed cannot keep the focus while it is disabled.
      element.querySelector<HTMLElement>("[name=token]")?.focus();
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      {failure !== null && <Failed failure={failure} />}
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
      <p class="actions">
        <button class="primary" type="submit" disabled={isBusy}>
          {isBusy ? "Logging in…" : "Log in"}
        </button>
        {children}
      </p>
    </form>
  );
};
