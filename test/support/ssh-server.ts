/** An SSH server up to its host key (RFC 4253), for tests that need a key of their own. */
import { createHash } from "node:crypto";
import type { Peer } from "./protocol-suite.ts";

export const u32 = (value: number) => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]);
export const text = (value: string | Buffer) => Buffer.concat([u32(value.length), Buffer.from(value as string)]);
export const packet = (payload: Buffer) => {
  const padding = 16 - ((payload.length + 5) % 8);
  return Buffer.concat([u32(payload.length + 1 + padding), Buffer.from([padding]), payload, Buffer.alloc(padding)]);
};

/** @param byte of which the key consists */
const hostKey = (byte: number) => Buffer.concat([text("ssh-ed25519"), text(Buffer.alloc(32, byte))]);
export const HOST_KEY = hostKey(7);
export const FINGERPRINT = `SHA256:${createHash("sha256").update(HOST_KEY).digest("base64").replace(/=+$/, "")}`;

const kexInit = (exchanges: string) =>
  packet(
    Buffer.concat([
      Buffer.from([20]),
      Buffer.alloc(16, 1),
      ...[
        exchanges,
        "ssh-ed25519,rsa-sha2-512",
        "aes128-ctr",
        "aes128-ctr",
        "hmac-sha2-256",
        "hmac-sha2-256",
        "none",
        "none",
        "",
        "",
      ].map(text),
      Buffer.alloc(5),
    ]),
  );

/** @param byte of which the host key consists */
export const kexReply = (byte = 7) =>
  Buffer.concat([Buffer.from([31]), text(hostKey(byte)), text(Buffer.alloc(32)), text("signature")]);

export const sshServer =
  (exchanges: string, received: Buffer[] = [], reply = kexReply()) =>
  ({ socket, write }: Peer) => {
    write("SSH-2.0-TestSSH_1.2 Harbor\r\n");
    write(kexInit(exchanges));
    let pending = Buffer.alloc(0);
    let isPastGreeting = false;
    socket.on("data", (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      if (!isPastGreeting) {
        const end = pending.indexOf("\n");
        if (end < 0) return;
        pending = pending.subarray(end + 1);
        isPastGreeting = true;
      }
      while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE()) {
        const length = pending.readUInt32BE();
        const payload = pending.subarray(5, 4 + length - pending[4]!);
        pending = pending.subarray(4 + length);
        received.push(payload);
        if (payload[0] !== 30) continue;
        write(packet(Buffer.from([2, 0, 0, 0, 0]))); // IGNORE may come at any time
        write(packet(reply));
      }
    });
  };
