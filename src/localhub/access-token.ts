import { createHmac, timingSafeEqual } from "node:crypto";

/** Clocks may differ by this much. Source: IoT Hub, control access with shared access signatures. */
const CLOCK_DRIFT_MS = 300_000;

export interface TokenCheck {
  /** Host names that the resource may be written with. */
  readonly hostNames: readonly string[];
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
    return refused(`the token's policy name is '${fields.get("skn") ?? ""}'`);
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
  const expiresAtMs = Number(expiry) * 1_000;
  if (expiresAtMs + CLOCK_DRIFT_MS <= expected.nowMs) return refused("the token has expired");
  return { ok: true, expiresAtMs };
}

/** A token for the resource itself or for what contains it is good. */
function isResourceOf(resource: string, expected: TokenCheck): boolean {
  const wanted = expected.hostNames.map((host) => `${host}/${expected.resourcePath}`.toLowerCase());
  const given = resource.toLowerCase();
  return wanted.some((full) => full === given || full.startsWith(`${given}/`));
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
