/** Which keys do what. */
import { Dialog } from "./dialog.tsx";

const KEYS = [
  ["Ctrl+K", "Go to a monitor, a page or an action"],
  ["/", "Search the list"],
  ["j, k", "Next, previous monitor of the list"],
  ["x", "Select the monitor"],
  ["Enter", "Open the monitor"],
  ["c", "Create a monitor"],
  ["?", "This help"],
] as const;

export const HelpDialog = ({ close }: { readonly close: () => void }) => (
  <Dialog title="Keyboard" close={close}>
    <dl class="facts">
      {KEYS.map(([key, does]) => (
        <>
          <dt key={key}>
            <kbd>{key}</kbd>
          </dt>
          <dd>{does}</dd>
        </>
      ))}
    </dl>
    <p class="dim small">
      Single keys can be switched off in{" "}
      <a href="/settings" onClick={close}>
        the settings
      </a>
      .
    </p>
    <p class="actions">
      <button type="button" onClick={close} autofocus>
        Close
      </button>
    </p>
  </Dialog>
);
