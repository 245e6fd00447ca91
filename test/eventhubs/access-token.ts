import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * True for a shared access signature of the resource, made with the key and not expired.
 * Source: Event Hubs, "Authenticate access with shared access signatures".
 */
export function isValidToken(token: string, audience: string, key: string, nowMs: number): boolean {
  if (!token.startsWith("SharedAccessSignature ")) return false;
  const fields = new Map(
    token
      .slice("SharedAccessSignature ".length)
      .split("&")
      .map((field) => {
        const at = field.indexOf("=");
        return [field.slice(0, at), field.slice(at + 1)] as const;
      }),
  );
  const [resource, signature, expiry] = ["sr", "sig", "se"].map((name) => fields.get(name) ?? "");
  if (resource === undefined || signature === undefined || expiry === undefined) return false;
  if (!covers(decodeURIComponent(resource), audience)) return false;
  if (Number(expiry) * 1_000 < nowMs) return false;
  const expected = createHmac("sha256", key).update(`${resource}\n${expiry}`).digest();
  const given = Buffer.from(decodeURIComponent(signature), "base64");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function covers(resource: string, audience: string): boolean {
  return audience.toLowerCase().startsWith(resource.toLowerCase());
}
