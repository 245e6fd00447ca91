import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { AgentError } from "../../contract/errors.ts";

const DAY_MS = 86_400_000;
const SOON_DAYS = 14;

/** A client certificate with its key, as PEM texts. */
export interface CertificatePair {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/**
 * Checks that a certificate and a key are PEM, belong together and are valid now. Returns what is
 * doubtful. `name` is what the hub expects as common name. Throws AGENT_IDENTITY_INVALID.
 */
export function checkCertificate(
  pair: CertificatePair,
  name: string,
  nowMs: number,
): readonly string[] {
  const certificate = parseCertificate(pair.certificatePem);
  const key = parseKey(pair.keyPem);
  if (!certificate.checkPrivateKey(key)) {
    throw invalid(
      "the private key does not belong to the certificate",
      "give the key that the certificate was issued for; the device's own certificate comes first " +
        "in the file, before those of its issuers",
    );
  }
  const fromMs = Date.parse(certificate.validFrom);
  const toMs = Date.parse(certificate.validTo);
  if (toMs <= nowMs) {
    throw invalid(`the certificate ended on ${certificate.validTo}`, "have it renewed");
  }
  if (fromMs > nowMs) {
    const remedy = "check this machine's clock, or wait";
    throw invalid(`the certificate begins only on ${certificate.validFrom}`, remedy);
  }
  const notes: string[] = [];
  const days = Math.floor((toMs - nowMs) / DAY_MS);
  if (days < SOON_DAYS) notes.push(`the certificate ends in ${days} days: have it renewed soon`);
  const common = commonNameOf(certificate.subject);
  if (common !== name) {
    notes.push(
      `the certificate's common name is '${common}', not '${name}': only a hub that knows its ` +
        "thumbprint accepts that",
    );
  }
  return notes;
}

function parseCertificate(pem: string): X509Certificate {
  if (!pem.includes("-----BEGIN CERTIFICATE-----")) {
    const remedy = "give a PEM file; openssl x509 -inform der -in FILE converts a DER file";
    throw invalid("the certificate file holds no PEM certificate", remedy);
  }
  try {
    return new X509Certificate(pem);
  } catch {
    // OpenSSL's words describe ASN.1, which helps nobody here.
    throw invalid("the certificate cannot be read", "have it issued or copied again");
  }
}

function parseKey(pem: string): KeyObject {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(pem)) {
    const remedy =
      "the service starts without a person: openssl pkey -in FILE -out FILE removes it";
    throw invalid("the private key has a passphrase", remedy);
  }
  try {
    return createPrivateKey(pem);
  } catch {
    // The error is dropped: it could describe the content.
    throw invalid("the key file holds no PEM private key", "give the key in PEM");
  }
}

function commonNameOf(subject: string): string {
  return (/^CN=(.*)$/m.exec(subject)?.[1] ?? "").replace(/[^\x20-\x7e]/g, "?").slice(0, 128);
}

function invalid(what: string, remedy: string): AgentError {
  return new AgentError("AGENT_IDENTITY_INVALID", what, { remedy });
}
