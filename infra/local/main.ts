/** `npm start`. Node keeps what it compiles, which a third of the next start's processor time would go into. */
import { enableCompileCache } from "node:module";
import { join } from "node:path";

// Not Node's default folder: everybody may write to the system's temporary one. Where the folder cannot be written, nothing is kept.
enableCompileCache(join(import.meta.dirname, "../../node_modules/.cache/harborlight"));
await import("./run.ts");
