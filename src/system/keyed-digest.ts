import { createHmac, randomBytes } from "node:crypto";

const SECRET_BYTES = 32;

/**
 * HMAC-SHA-256 of texts under a secret that nobody else has and that ends with the process: equal texts
 * have equal digests, and a digest says nothing of its text. 32 characters of hexadecimal, which is 128
 * bits. Source: RFC 2104.
 */
export function createKeyedDigest(): (text: string) => string {
  const secret = randomBytes(SECRET_BYTES);
  return (text) => createHmac("sha256", secret).update(text, "utf8").digest("hex").slice(0, 32);
}
