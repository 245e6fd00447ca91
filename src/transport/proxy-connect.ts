import type { Duplex } from "node:stream";
import { FaultError, fault } from "./fault.ts";

/** A proxy's answer is a few lines; more is not a proxy. */
const LONGEST_ANSWER_BYTES = 16_384;
const END_OF_HEAD = "\r\n\r\n";

/**
 * Asks an HTTP proxy on `socket` for a tunnel to `authority` (`host:port`). `credentials` is
 * `user:password` or empty. Resolves once the tunnel stands; bytes that came after the answer are put
 * back. Rejects with FaultError `unreachable`, or the socket's own error.
 * Source: RFC 9110 section 9.3.6 (CONNECT), section 11.7 (Proxy-Authorization), RFC 7617 (Basic).
 */
export function connectThroughProxy(
  socket: Duplex,
  authority: string,
  credentials: string,
): Promise<void> {
  const authorization =
    credentials === ""
      ? ""
      : `Proxy-Authorization: Basic ${Buffer.from(credentials, "utf8").toString("base64")}\r\n`;
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${authorization}\r\n`);
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const settle = (error: unknown): void => {
      socket.off("data", onData);
      socket.off("error", settle);
      socket.off("close", onClose);
      socket.pause();
      if (error === undefined) resolve();
      else reject(error);
    };
    const onClose = (): void => settle(refusal("the proxy closed the connection"));
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      const end = received.indexOf(END_OF_HEAD);
      if (end < 0) {
        if (received.length > LONGEST_ANSWER_BYTES) settle(refusal("the answer is no HTTP head"));
        return;
      }
      const rest = received.subarray(end + END_OF_HEAD.length);
      const refused = refusalOf(received.subarray(0, end).toString("latin1"));
      settle(refused);
      if (refused === undefined && rest.length > 0) socket.unshift(rest);
    };
    socket.on("data", onData);
    socket.on("error", settle);
    socket.on("close", onClose);
  });
}

/** The error that a proxy's head stands for; undefined for 2xx. Exported for tests. */
export function refusalOf(head: string): FaultError | undefined {
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1];
  if (status === undefined) return refusal("the answer is no HTTP head");
  if (status.startsWith("2")) return undefined;
  if (status === "407") {
    const remedy = "give the proxy's user and password in its credentials file";
    return new FaultError(fault("unreachable", "proxy: authentication required (407)", remedy));
  }
  return refusal(`it refused the tunnel (${status})`);
}

function refusal(what: string): FaultError {
  const remedy = "check the proxy's address, and that it allows CONNECT to this host and port";
  return new FaultError(fault("unreachable", `proxy: ${what}`, remedy));
}
