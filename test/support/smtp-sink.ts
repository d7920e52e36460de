/** A mail server that takes every mail, and keeps its subject with the moment it came. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { createInterface } from "node:readline";

export async function startSmtpSink() {
  const received: { readonly at: number; readonly subject: string }[] = [];
  const server = createServer(async (socket) => {
    socket.on("error", () => {});
    const say = (line: string) => socket.write(`${line}\r\n`);
    say("220 sink");
    let mail: string[] | undefined;
    for await (const line of createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (mail && line !== ".") mail.push(line);
      else if (mail) {
        // A long header goes on in lines that begin with a space (RFC 5322, section 2.2.3).
        const [head = ""] = mail
          .join("\n")
          .replace(/\n[ \t]+/g, " ")
          .split("\n\n");
        received.push({ at: Date.now(), subject: /^Subject: (.*)$/im.exec(head)?.[1] ?? "" });
        mail = undefined;
        say("250 kept");
      } else if (/^DATA/i.test(line)) {
        mail = [];
        say("354 go on");
      } else if (/^QUIT/i.test(line)) socket.end("221 bye\r\n");
      else say("250 well");
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}
