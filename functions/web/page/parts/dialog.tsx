/** Questions over the page, answered before anything else happens. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

interface DialogProps {
  readonly title: string;
  readonly children: ComponentChildren;
  /** Called for Escape. Without it the dialog stays until its question is answered. */
  readonly close?: () => void;
  readonly isWide?: boolean;
}

export const Dialog = ({ title, children, close, isWide = false }: DialogProps) => {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  // The browser keeps the focus inside. It gives the focus back only where the dialog is closed before it is removed.
  useEffect(() => {
    const shown = dialog.current;
    const before = document.activeElement;
    shown?.showModal();
    return () => {
      shown?.close();
      if (document.activeElement === document.body && before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={isWide ? "wide" : ""}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        close?.();
      }}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
};

interface ConfirmProps {
  readonly title: string;
  /** What the button says that does it. */
  readonly verb: string;
  readonly children: ComponentChildren;
  readonly confirm: () => void;
  readonly cancel: () => void;
}

export const Confirm = ({ title, verb, children, confirm, cancel }: ConfirmProps) => (
  <Dialog title={title} close={cancel}>
    {children}
    <p class="actions">
      <button type="button" class="danger" onClick={confirm}>
        {verb}
      </button>
      <button type="button" onClick={cancel} autofocus>
        Cancel
      </button>
    </p>
  </Dialog>
);
