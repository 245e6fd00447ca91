import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** When a certificate holds, Unix epoch ms. */
export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** A certificate and its key, PEM. */
export interface PemPair {
  readonly certificatePem: string;
  readonly keyPem: string;
}

export interface LeafRequest {
  readonly commonName: string;
  /** DNS names and IP addresses. */
  readonly names: readonly string[];
  readonly usage: "server" | "client";
  readonly validity: Validity;
}

/** A certificate authority of our own, elliptic curve P-256. Source: RFC 5280. */
export interface Authority {
  readonly ca: PemPair;
  issue(request: LeafRequest): Promise<PemPair>;
}

/**
 * Makes a new CA. This file is imported only where a certificate is made: the x509 package costs 0.1 s
 * and some MB, and it loads reflect-metadata by itself.
 */
export async function createAuthority(name: string, validity: Validity): Promise<Authority> {
  x509.cryptoProvider.set(webcrypto);
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: `CN=${name}`,
    notBefore: new Date(validity.notBeforeMs),
    notAfter: new Date(validity.notAfterMs),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const ca = { certificatePem: pemOf(certificate), keyPem: await keyPem(keys.privateKey) };
  return authorityFrom(certificate, keys.privateKey, ca);
}

/** The authority of kept PEM texts. Rejects when they are not a certificate and its key. */
export async function loadAuthority(ca: PemPair): Promise<Authority> {
  x509.cryptoProvider.set(webcrypto);
  const der = Buffer.from(ca.keyPem.replace(/-----[^-]+-----|\s/g, ""), "base64");
  const key = await webcrypto.subtle.importKey("pkcs8", der, ALGORITHM, true, ["sign"]);
  return authorityFrom(new x509.X509Certificate(ca.certificatePem), key, ca);
}

function authorityFrom(
  certificate: x509.X509Certificate,
  signingKey: webcrypto.CryptoKey,
  ca: PemPair,
): Authority {
  return {
    ca,
    async issue(request) {
      const keys = await newKeys();
      const usage =
        request.usage === "server"
          ? x509.ExtendedKeyUsage.serverAuth
          : x509.ExtendedKeyUsage.clientAuth;
      const leaf = await x509.X509CertificateGenerator.create({
        serialNumber: newSerial(),
        subject: `CN=${request.commonName}`,
        issuer: certificate.subject,
        notBefore: new Date(request.validity.notBeforeMs),
        notAfter: new Date(request.validity.notAfterMs),
        signingAlgorithm: ALGORITHM,
        publicKey: keys.publicKey,
        signingKey,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([usage]),
          ...(request.names.length === 0 ? [] : [alternativeNames(request.names)]),
        ],
      });
      return { certificatePem: pemOf(leaf), keyPem: await keyPem(keys.privateKey) };
    },
  };
}

function alternativeNames(names: readonly string[]): x509.SubjectAlternativeNameExtension {
  return new x509.SubjectAlternativeNameExtension(
    names.map((value) => ({
      type: /^[\d.]+$|:/.test(value) ? ("ip" as const) : ("dns" as const),
      value,
    })),
  );
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

/** 16 random bytes, positive. Source: RFC 5280 section 4.1.2.2. */
function newSerial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString("hex");
}

function pemOf(certificate: x509.X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
}
