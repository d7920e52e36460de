/** Files that servers need before they start. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "./server.ts";

/** Writes one file into the server's folder. @returns its path */
export const write = (folder: string, name: string, text: string, mode = 0o644): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
};

/** Makes a folder below the server's. @returns its path */
export const folderIn = (folder: string, name: string, owner?: string): string => {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  if (owner) {
    chmodSync(folder, 0o755);
    execFileSync("chown", ["-R", owner, path]);
  }
  return path;
};

/** The server's certificate and key as files. @param owner who must be able to read the key; default root */
export const certificateFiles = ({ folder, certificate }: Context, owner?: string) => {
  const certificateFile = write(folder, "certificate.pem", certificate.certificate);
  const keyFile = write(folder, "key.pem", certificate.key, 0o600);
  if (owner) {
    chmodSync(folder, 0o755);
    execFileSync("chown", [owner, keyFile]);
  }
  return { certificateFile, keyFile };
};
