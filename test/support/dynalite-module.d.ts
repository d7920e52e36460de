declare module "dynalite" {
  import type { Server } from "node:http";

  /** @param options `createTableMs` is how long a new table cannot be used */
  export default function dynalite(options: { createTableMs: number; path: string | undefined }): Server;
}
