/** Why something failed, in the API's words, and what a person can do. */
import { CallFailure } from "../api.ts";

export const Failed = ({ failure, retry }: { readonly failure: unknown; readonly retry?: () => void }) => (
  <div class="notice" role="alert">
    <p style={{ margin: 0 }}>{failure instanceof Error ? failure.message : String(failure)}</p>
    {failure instanceof CallFailure && failure.requestId !== null && (
      <p class="dim small" style={{ margin: 0 }}>
        Request <code>{failure.requestId}</code>
      </p>
    )}
    {retry && (
      <button type="button" class="plain" onClick={retry}>
        Try again
      </button>
    )}
  </div>
);
