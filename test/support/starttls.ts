/** A line server that upgrades to TLS when asked, with a certificate made for the occasion. */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { makeCertificate } from "./certificates.ts";
import { onLines, serve, type TcpServer } from "./servers.ts";

export interface StarttlsScript {
  readonly greeting: string;
  /** Answers by the start of a line, in the clear. */
  readonly before: Readonly<Record<string, string>>;
  /** The line that asks for TLS, or its start. */
  readonly ask: string;
  readonly agree: string;
  /** Answers by the start of a line, inside TLS. */
  readonly after: Readonly<Record<string, string>>;
  /** Sent in the clear behind the agreement, as somebody in the middle would. */
  readonly injected?: string;
}

export type StarttlsServer = TcpServer & { readonly ca: string };

const answer = (socket: Socket, replies: Readonly<Record<string, string>>, other: (line: string) => void) =>
  onLines(socket, (line) => {
    const start = Object.keys(replies).find((key) => line.startsWith(key));
    if (start === undefined) other(line);
    else socket.write(replies[start]!);
  });

/** Turns a connection into the server's side of TLS. */
export const upgrade = (socket: Socket, certificate: { certificate: string; key: string }): TLSSocket => {
  const secure = new TLSSocket(socket, { isServer: true, cert: certificate.certificate, key: certificate.key });
  secure.on("error", () => {});
  return secure;
};

export const serveStarttls = async (script: StarttlsScript): Promise<StarttlsServer> => {
  const certificate = makeCertificate();
  const server = await serve((socket) => {
    if (script.greeting) socket.write(script.greeting);
    answer(socket, script.before, (line) => {
      if (!line.startsWith(script.ask)) return;
      socket.write(script.agree + (script.injected ?? ""));
      socket.removeAllListeners("data");
      answer(upgrade(socket, certificate), script.after, () => {});
    });
  });
  return Object.assign(server, { ca: certificate.certificate });
};
