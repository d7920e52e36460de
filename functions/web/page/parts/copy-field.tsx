/** A text to be copied, by a button or with the keyboard. */
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";

interface CopyFieldProps {
  readonly label: string;
  readonly value: string;
  /** Whether the page is about something else: its button is one of many. */
  readonly isAside?: boolean;
  /** Further buttons. */
  readonly children?: ComponentChildren;
}

export const CopyField = ({ label, value, isAside = false, children }: CopyFieldProps) => {
  const [said, say] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const copy = async () => {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(value);
      say("Copied.");
    } catch {
      say("It is selected: copy it with the keyboard."); // over plain http pages may not write to the clipboard
    }
  };
  return (
    <>
      <label class="field">
        <span>{label}</span>
        <input ref={field} value={value} readOnly spellcheck={false} />
      </label>
      <p class="actions">
        <button
          type="button"
          class={isAside ? "" : "primary"}
          autofocus={!isAside}
          aria-label={isAside ? `Copy: ${label}` : undefined}
          onClick={() => void copy()}
        >
          Copy
        </button>
        {children}
        <span role="status">{said}</span>
      </p>
    </>
  );
};
