/** Certificates for tests: a CA, and leaf certificates as good or as bad as a case needs. */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 86_400_000;

export interface Pem {
  readonly certificatePem: string;
  readonly keyPem: string;
}

export interface LeafOptions {
  readonly commonName: string;
  /** Subject alternative names; host names or addresses. */
  readonly names?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

export interface TestAuthority {
  readonly caPem: string;
  issue(options: LeafOptions): Promise<Pem>;
}

async function pemOfKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

export async function testAuthority(name: string): Promise<TestAuthority> {
  x509.cryptoProvider.set(webcrypto as never);
  const keys = await newKeys();
  let serial = 1;
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name: `CN=${name}`,
    notBefore: new Date(Date.now() - 30 * DAY_MS),
    notAfter: new Date(Date.now() + 30 * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  return {
    caPem: `${ca.toString("pem")}\n`,
    issue: async (options) => {
      serial += 1;
      const leafKeys = await newKeys();
      const leaf = await x509.X509CertificateGenerator.create({
        serialNumber: serial.toString(16).padStart(2, "0"),
        subject: `CN=${options.commonName}`,
        issuer: ca.subject,
        notBefore: options.notBefore ?? new Date(Date.now() - DAY_MS),
        notAfter: options.notAfter ?? new Date(Date.now() + DAY_MS),
        signingAlgorithm: ALGORITHM,
        publicKey: leafKeys.publicKey,
        signingKey: keys.privateKey,
        extensions: [
          new x509.SubjectAlternativeNameExtension(
            (options.names ?? []).map((name) => ({
              type: /^[\d.]+$|:/.test(name) ? "ip" : "dns",
              value: name,
            })),
          ),
        ],
      });
      return {
        certificatePem: `${leaf.toString("pem")}\n`,
        keyPem: await pemOfKey(leafKeys.privateKey),
      };
    },
  };
}
