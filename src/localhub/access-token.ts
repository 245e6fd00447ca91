import { createHmac, timingSafeEqual } from "node:crypto";

/** Clocks may differ by this much. Source: IoT Hub, control access with shared access signatures. */
const CLOCK_DRIFT_MS = 300_000;
const MAX_TOKEN_CHARACTERS = 8_192;

export interface TokenCheck {
  /** Names of the hub, in lower case and without a port; the resource may carry any port. */
  readonly hostNames: ReadonlySet<string>;
  /** `devices/DEVICE[/modules/MODULE]`, or a registration. */
  readonly resourcePath: string;
  readonly keyBase64: string;
  readonly nowMs: number;
  /** Policy name the token must carry, such as `registration`; none for device and module keys. */
  readonly policyName?: string;
}

export type TokenVerdict =
  | { readonly ok: true; readonly expiresAtMs: number }
  | { readonly ok: false; readonly why: string };

/**
 * Checks a shared access signature: form, resource, signature, expiry. Source: IoT Hub documentation,
 * security token structure: HMAC-SHA256 of the encoded resource, a newline and the expiry.
 */
export function checkToken(token: string, expected: TokenCheck): TokenVerdict {
  const prefix = "SharedAccessSignature ";
  if (token.length > MAX_TOKEN_CHARACTERS) return refused("the password is too long for a token");
  if (!token.startsWith(prefix)) return refused("the password is no shared access signature");
  const fields = new Map(
    token
      .slice(prefix.length)
      .split("&")
      .map((field): [string, string] => {
        const at = field.indexOf("=");
        return [field.slice(0, at), field.slice(at + 1)];
      }),
  );
  const resource = fields.get("sr") ?? "";
  const signature = fields.get("sig") ?? "";
  const expiry = fields.get("se") ?? "";
  if (resource === "" || signature === "" || !/^\d{1,12}$/.test(expiry)) {
    return refused("the token lacks sr, sig or a whole se");
  }
  if ((fields.get("skn") ?? "") !== (expected.policyName ?? "")) {
    return refused("the token's policy name (skn) is not the one of this kind of key");
  }
  if (!isResourceOf(decoded(resource), expected))
    return refused("the token is for another resource");
  const mac = createHmac("sha256", Buffer.from(expected.keyBase64, "base64"))
    .update(`${resource}\n${expiry}`)
    .digest();
  const given = Buffer.from(decoded(signature), "base64");
  if (given.length !== mac.length || !timingSafeEqual(given, mac)) {
    return refused("the token's signature does not match the key");
  }
  const endMs = Number(expiry) * 1_000;
  const lastMs = endMs + CLOCK_DRIFT_MS;
  if (lastMs <= expected.nowMs) return refused("the token has expired");
  // A token that is over but within the drift is used up to the end of the drift.
  return { ok: true, expiresAtMs: endMs > expected.nowMs ? endMs : lastMs };
}

/** A token for the resource itself, or by whole segments for what contains it, is good. */
function isResourceOf(resource: string, expected: TokenCheck): boolean {
  const [host = "", ...segments] = resource.replace(/\/$/, "").split("/");
  if (!isNamed(host, expected.hostNames)) return false;
  const wanted = expected.resourcePath.split("/");
  return segments.length <= wanted.length && segments.every((part, at) => part === wanted[at]);
}

/** True when a host name, its port taken off, is one of the hub's. Host names have no case. */
export function isNamed(host: string, names: ReadonlySet<string>): boolean {
  const bare = host.toLowerCase().replace(/:\d{1,5}$/, "");
  return names.has(bare.replace(/^\[(.*)\]$/, "$1"));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray percent sign: then the text is compared as it is, and does not match.
    return text;
  }
}

function refused(why: string): TokenVerdict {
  return { ok: false, why };
}
