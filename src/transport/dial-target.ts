import { isIP } from "node:net";
import type { SecureContext } from "node:tls";
import { fail, ok, type Result } from "../contract/result.ts";

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
