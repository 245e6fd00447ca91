import { createSecureContext, rootCertificates, type SecureContext } from "node:tls";
import { describeError } from "../contract/errors.ts";
import { FaultError, fault } from "./fault.ts";
import type { TransportDeps } from "./transport-options.ts";

export interface TrustOptions {
  /** PEM file of CA certificates trusted besides the system roots. */
  readonly caFile?: string | undefined;
  /** PEM files of the client certificate (chain) and its key. */
  readonly certificateFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

/**
 * TLS settings made from files. The files are read at each connect, so that a renewed certificate is
 * picked up; the costly context is rebuilt only when their text changed.
 */
export class TlsTrust {
  private readonly deps: Pick<TransportDeps, "readFile" | "readSecret">;
  private readonly options: TrustOptions;
  private cached: { readonly text: string; readonly context: SecureContext } | undefined;

  constructor(options: TrustOptions, deps: Pick<TransportDeps, "readFile" | "readSecret">) {
    this.options = options;
    this.deps = deps;
  }

  /** Throws FaultError `tls` when a file cannot be read or is not PEM. */
  async context(): Promise<SecureContext> {
    const { caFile, certificateFile, keyFile } = this.options;
    const ca = caFile === undefined ? "" : await this.read(caFile, "CA file");
    const cert =
      certificateFile === undefined ? "" : await this.read(certificateFile, "certificate");
    const key = keyFile === undefined ? "" : await this.readKey(keyFile);
    const text = `${ca}\n${cert}\n${key}`;
    if (this.cached?.text === text) return this.cached.context;
    try {
      const context = createSecureContext({
        minVersion: "TLSv1.2",
        ...(ca === "" ? {} : { ca: [...rootCertificates, ca] }),
        ...(cert === "" ? {} : { cert }),
        ...(key === "" ? {} : { key }),
      });
      this.cached = { text, context };
      return context;
    } catch (error) {
      const remedy = "the CA file, the certificate and its key must be PEM and belong together";
      throw new FaultError(fault("tls", `certificates unusable: ${describeError(error)}`, remedy));
    }
  }

  private async readKey(path: string): Promise<string> {
    try {
      return await this.deps.readSecret(path, "key of the client certificate");
    } catch (error) {
      throw unreadable("client key", error);
    }
  }

  private async read(path: string, what: string): Promise<string> {
    try {
      const text = await this.deps.readFile(path);
      // A CA file without a certificate would silently trust nothing more than before.
      if (text.includes("-----BEGIN ")) return text;
      throw new Error("it holds no PEM block");
    } catch (error) {
      throw unreadable(what, error);
    }
  }
}

function unreadable(what: string, error: unknown): FaultError {
  const remedy = `make the ${what} readable for the agent, in PEM`;
  return new FaultError(fault("tls", `${what}: ${describeError(error)}`, remedy));
}
