import { connect as connectTcp, isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls, type SecureContext, type TLSSocket } from "node:tls";
import { aborting } from "./deadline.ts";
import { authorityOf, type DialTarget } from "./dial-target.ts";
import { connectThroughProxy } from "./proxy-connect.ts";

/** Per address of a host with several. Node's own 250 ms gives up on slow links. */
const ATTEMPT_MS = 5_000;

/**
 * Opens the byte stream that MQTT runs on: TCP, or a tunnel through a proxy; TLS; WebSocket. Rejects
 * with FaultError or Node's own error; when `signal` aborts, with FaultError `timed-out`. Nothing stays
 * open after a rejection.
 */
export async function dial(target: DialTarget, signal: AbortSignal): Promise<Duplex> {
  let open: Duplex | undefined;
  const keep = <T extends Duplex>(stream: T): T => {
    open = stream;
    return stream;
  };
  try {
    const raw = await dialRaw(target, signal, keep);
    const { secureContext } = target;
    const stream =
      secureContext === undefined
        ? raw
        : await secure(raw, target.host, secureContext, signal, keep);
    if (target.webSocketPath === undefined) return stream;
    const { openWebSocket } = await import("./websocket-stream.ts");
    return await aborting(signal, openWebSocket(stream, target));
  } catch (error) {
    // A socket that is being destroyed may still report an error; nobody is interested any more.
    open?.on("error", () => undefined);
    open?.destroy();
    throw error;
  }
}

async function dialRaw(
  target: DialTarget,
  signal: AbortSignal,
  keep: <T extends Duplex>(stream: T) => T,
): Promise<Duplex> {
  const { proxy } = target;
  const tcp = await openTcp(proxy ?? target, signal, keep);
  if (proxy === undefined) return tcp;
  try {
    const tunnel = proxy.isTls ? await secure(tcp, proxy.host, undefined, signal, keep) : tcp;
    await aborting(signal, connectThroughProxy(tunnel, authorityOf(target), proxy.credentials));
    return tunnel;
  } catch (error) {
    tcp.destroy();
    throw error;
  }
}

function openTcp(
  to: { readonly host: string; readonly port: number },
  signal: AbortSignal,
  keep: <T extends Duplex>(stream: T) => T,
): Promise<Socket> {
  const socket = keep(
    connectTcp({
      host: to.host,
      port: to.port,
      noDelay: true,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: ATTEMPT_MS,
    }),
  );
  return aborting(signal, firstOf(socket, "connect"));
}

/** Name verified and SNI sent by Node's default; an IP literal gets no SNI (RFC 6066 section 3). */
function secure(
  raw: Duplex,
  host: string,
  secureContext: SecureContext | undefined,
  signal: AbortSignal,
  keep: <T extends Duplex>(stream: T) => T,
): Promise<TLSSocket> {
  const socket = keep(
    connectTls({
      socket: raw,
      host,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(secureContext === undefined ? {} : { secureContext }),
      minVersion: "TLSv1.2",
      rejectUnauthorized: true,
    }),
  );
  return aborting(signal, firstOf(socket, "secureConnect"));
}

function firstOf<S extends Duplex>(stream: S, event: string): Promise<S> {
  return new Promise((resolve, reject) => {
    const settle = (action: () => void) => (): void => {
      stream.off(event, onEvent);
      stream.off("error", onError);
      stream.off("close", onClose);
      action();
    };
    const onEvent = settle(() => resolve(stream));
    const onClose = settle(() =>
      reject(Object.assign(new Error("closed"), { code: "ECONNRESET" })),
    );
    const onError = (error: Error): void => settle(() => reject(error))();
    stream.on(event, onEvent);
    stream.on("error", onError);
    stream.on("close", onClose);
  });
}
