import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { Clock } from "../contract/clock.ts";
import type { Log } from "../contract/log.ts";
import type { Authority, LeafRequest, PemPair, Validity } from "./authority.ts";
import type { HubIdentity } from "./hub-contract.ts";
import type { HubState } from "./hub-state.ts";
import { identityName } from "./hub-topics.ts";

const DAY_MS = 86_400_000;
const CA_LIFE_MS = 3_650 * DAY_MS;
/** The longest that strict clients accept. Source: CA/Browser Forum baseline requirements 6.3.2. */
const LEAF_LIFE_MS = 397 * DAY_MS;
/** Clocks of clients may be behind. */
const BACKDATE_MS = DAY_MS;
const RENEW_BEFORE_END_MS = DAY_MS;

const CA = { certificate: "ca.pem", key: "ca-key.pem" };
const SERVER = { certificate: "server.pem", key: "server-key.pem" };

/** A certificate that a client must refuse. */
export type BadCertificate = "other-host" | "untrusted" | "expired";

/** The hub's certificates: its own, and others on demand. */
export interface HubCertificates {
  readonly caFile: string;
  readonly caPem: string;
  readonly server: PemPair;
  bad(which: BadCertificate): Promise<PemPair>;
  /** A client certificate whose common name is the identity. */
  issueFor(identity: HubIdentity): Promise<PemPair>;
}

export interface HubCertificateOptions {
  readonly hostName: string;
  readonly bindAddress: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Reads the kept certificates; makes what is missing, near its end or for other names. */
export async function openHubCertificates(
  state: HubState,
  options: HubCertificateOptions,
): Promise<HubCertificates> {
  const { clock } = options;
  const names = serverNames(options);
  const kept = keptPair(state, CA, (ca) => isGoodFor(ca, clock, LEAF_LIFE_MS));
  const authority = once(() => (kept === undefined ? newAuthority(state, options) : load(kept)));
  const caPem = kept?.certificatePem ?? (await authority()).ca.certificatePem;
  const caKey = new X509Certificate(caPem).publicKey;
  const request = (): LeafRequest => ({
    commonName: options.hostName,
    names,
    usage: "server",
    validity: leafValidity(clock),
  });
  const keptServer = keptPair(
    state,
    SERVER,
    (leaf) =>
      isGoodFor(leaf, clock, RENEW_BEFORE_END_MS) &&
      leaf.verify(caKey) &&
      names.every((name) => (isIP(name) === 0 ? leaf.checkHost(name) : leaf.checkIP(name))),
  );
  const server = keptServer ?? (await (await authority()).issue(request()));
  if (keptServer === undefined) {
    writePair(state, SERVER, server);
    options.log.info({ host: options.hostName }, "server certificate of the local hub made");
  }
  return {
    caFile: state.path(CA.certificate),
    caPem,
    server,
    bad: async (which) => badCertificate(which, authority, request(), clock),
    issueFor: async (identity) =>
      (await authority()).issue({
        ...request(),
        commonName: identityName(identity),
        names: [],
        usage: "client",
      }),
  };
}

async function newAuthority(state: HubState, options: HubCertificateOptions): Promise<Authority> {
  const made = await makeAuthority("Gatewarden local hub CA", options.clock);
  writePair(state, CA, made.ca);
  options.log.info({ file: state.path(CA.certificate) }, "CA of the local hub made");
  return made;
}

async function makeAuthority(name: string, clock: Clock): Promise<Authority> {
  const { createAuthority } = await import("./authority.ts");
  const notBeforeMs = clock.nowMs() - BACKDATE_MS;
  return createAuthority(name, { notBeforeMs, notAfterMs: notBeforeMs + CA_LIFE_MS });
}

async function load(kept: PemPair): Promise<Authority> {
  const { loadAuthority } = await import("./authority.ts");
  return loadAuthority(kept);
}

async function badCertificate(
  which: BadCertificate,
  authority: () => Promise<Authority>,
  request: LeafRequest,
  clock: Clock,
): Promise<PemPair> {
  if (which === "untrusted") return (await makeAuthority("Untrusted CA", clock)).issue(request);
  const commonName = "other-host.example";
  const nowMs = clock.nowMs();
  const fault =
    which === "other-host"
      ? { commonName, names: [commonName] }
      : { validity: { notBeforeMs: nowMs - 30 * DAY_MS, notAfterMs: nowMs - DAY_MS } };
  return (await authority()).issue({ ...request, ...fault });
}

function serverNames(options: HubCertificateOptions): readonly string[] {
  const { hostName, bindAddress } = options;
  const names = ["localhost", hostName, "127.0.0.1", "::1"];
  const isWildcard = bindAddress === "0.0.0.0" || bindAddress === "::";
  return [...new Set(isWildcard ? names : [...names, bindAddress])];
}

function leafValidity(clock: Clock): Validity {
  const notBeforeMs = clock.nowMs() - BACKDATE_MS;
  return { notBeforeMs, notAfterMs: notBeforeMs + LEAF_LIFE_MS };
}

function isGoodFor(certificate: X509Certificate, clock: Clock, restMs: number): boolean {
  const nowMs = clock.nowMs();
  const endMs = Date.parse(certificate.validTo);
  return endMs - nowMs > restMs && Date.parse(certificate.validFrom) <= nowMs;
}

/** A kept pair that belongs together and passes `isGood`; anything else is made anew. */
function keptPair(
  state: HubState,
  files: { readonly certificate: string; readonly key: string },
  isGood: (certificate: X509Certificate) => boolean,
): PemPair | undefined {
  const [certificatePem, keyPem] = [state.read(files.certificate), state.read(files.key)];
  if (certificatePem === undefined || keyPem === undefined) return undefined;
  try {
    const certificate = new X509Certificate(certificatePem);
    const isPair = certificate.checkPrivateKey(createPrivateKey(keyPem));
    return isPair && isGood(certificate) ? { certificatePem, keyPem } : undefined;
  } catch {
    // OpenSSL throws on text that is no certificate or key: they are the hub's own, so it makes new ones.
    return undefined;
  }
}

function writePair(
  state: HubState,
  files: { readonly certificate: string; readonly key: string },
  pair: PemPair,
): void {
  state.write(files.key, pair.keyPem, "owner");
  state.write(files.certificate, pair.certificatePem, "everybody");
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
