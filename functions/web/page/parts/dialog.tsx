/** A question that is answered before anything happens. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface ConfirmProps {
  readonly title: string;
  /** What the button says that does it. */
  readonly verb: string;
  readonly children: ComponentChildren;
  readonly confirm: () => void;
  readonly cancel: () => void;
}

export const Confirm = ({ title, verb, children, confirm, cancel }: ConfirmProps) => {
  const dialog = useRef<HTMLDialogElement>(null);
  // The browser keeps the focus inside, and gives it back when the dialog is closed: not when it is only removed.
  useEffect(() => dialog.current?.showModal(), []);
  const close = () => dialog.current?.close();
  return (
    <dialog ref={dialog} aria-labelledby="dialog-title" onCancel={cancel} onClose={cancel}>
      <h2 id="dialog-title">{title}</h2>
      {children}
      <p class="actions">
        <button
          type="button"
          class="danger"
          onClick={() => {
            close();
            confirm();
          }}
        >
          {verb}
        </button>
        <button type="button" onClick={close} autofocus>
          Cancel
        </button>
      </p>
    </dialog>
  );
};
