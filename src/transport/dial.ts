import { connect as connectTcp, isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls, type SecureContext, type TLSSocket } from "node:tls";
import type { Result } from "../contract/result.ts";
import { fail, ok } from "../contract/result.ts";
import { FaultError, fault } from "./fault.ts";
import { connectThroughProxy } from "./proxy-connect.ts";

export interface DialTarget {
  /** Name or address dialled, which is also the name that the certificate must carry. */
  readonly host: string;
  readonly port: number;
  /** Absent: no TLS. */
  readonly secureContext?: SecureContext | undefined;
  /** Path of the WebSocket to open on top; absent: plain MQTT. */
  readonly webSocketPath?: string | undefined;
  readonly proxy?: ProxyTarget | undefined;
}

export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** `user:password`, or empty. */
  readonly credentials: string;
}

/** Per address of a host with several. Node's own 250 ms gives up on slow links. */
const ATTEMPT_MS = 5_000;

/** `host:port`, with brackets around an IPv6 literal. */
export function authorityOf(target: { readonly host: string; readonly port: number }): string {
  return isIP(target.host) === 6
    ? `[${target.host}]:${target.port}`
    : `${target.host}:${target.port}`;
}

/**
 * Splits `host`, `host:port`, `[v6]` or `[v6]:port`. Problem `malformed` for anything else: the text
 * goes into protocol heads, so only characters of names and addresses pass.
 */
export function parseAuthority(
  text: string,
  subject: string,
): Result<{ readonly host: string; readonly port: number | undefined }> {
  const match = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([A-Za-z0-9._-]{1,253}))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) return fail("malformed", subject, "not a host name with optional port");
  const port = match?.[3] === undefined ? undefined : Number(match[3]);
  if (port !== undefined && (port < 1 || port > 65_535)) {
    return fail("malformed", subject, "the port is not 1 to 65535");
  }
  return ok({ host, port });
}

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

/** Rejects as soon as the signal aborts; the caller closes what is open. */
export function aborting<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      const remedy = "is outbound traffic to this port allowed, and is the link up?";
      reject(new FaultError(fault("timed-out", "no connection within the deadline", remedy)));
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
