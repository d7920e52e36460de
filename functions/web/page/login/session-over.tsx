/** Over the page when its session has ended: logging in again goes on where one was, and nothing that was typed is lost. */
import { isSessionOver } from "../api.ts";
import { Dialog } from "../parts/dialog.tsx";
import { logOut, session } from "../session.ts";
import { TokenForm } from "./token-form.tsx";

export const SessionOver = () =>
  isSessionOver.value && session.value ? (
    <Dialog title="Your session has ended">
      <p>Log in again to go on where you were. What you have typed is still there.</p>
      <TokenForm done={() => {}}>
        <button type="button" onClick={() => void logOut()}>
          Leave
        </button>
      </TokenForm>
    </Dialog>
  ) : null;
