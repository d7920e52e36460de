/** What a SIP server answers to a request: the headers that RFC 3261, section 8.2.6 has it repeat, a name and a body. */
export const respond = (question: Buffer, status = 200): Buffer => {
  const repeated = question
    .toString("latin1")
    .split("\r\n")
    .filter((line) => /^(Via|From|To|Call-ID|CSeq):/.test(line))
    .map((line) => (line.startsWith("To:") ? `${line};tag=buoy` : line));
  const text = status === 200 ? "OK" : "No";
  const head = [`SIP/2.0 ${status} ${text}`, ...repeated, "Allow: OPTIONS, INVITE", "Server: Buoy/1.2"];
  return Buffer.from([...head, "Content-Length: 5", "", "v=0\r\n"].join("\r\n"));
};
