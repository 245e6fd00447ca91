import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isJsonObject, type JsonValue } from "../contract/json.ts";
import { parseJson } from "../parse/json.ts";
import { type Authority, createAuthority, loadAuthority, type PemPair } from "./authority.ts";
import type { HubIdentity } from "./hub-contract.ts";
import { identityName } from "./hub-topics.ts";

const PRIVATE_FILE = 0o600;
const PUBLIC_FILE = 0o644;
export interface HubState {
  readonly authority: Authority;
  readonly caFile: string;
  keyOf(identity: HubIdentity): string;
  keyIfKnown(identity: HubIdentity): string | undefined;
}
export async function openHubState(folder: string, nowMs: number): Promise<HubState> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const caFile = join(folder, "ca.pem");
  const authority = await openAuthority(folder, caFile, nowMs);
  const keyFile = join(folder, "keys.json");
  const keys = new Map<string, string>(readKeys(keyFile));
  return {
    authority,
    caFile,
    keyIfKnown: (identity) => keys.get(identityName(identity)),
    keyOf(identity) {
      const name = identityName(identity);
      const known = keys.get(name);
      if (known !== undefined) return known;
      const fresh = randomBytes(32).toString("base64");
      keys.set(name, fresh);
      write(keyFile, JSON.stringify(Object.fromEntries(keys)), PRIVATE_FILE);
      return fresh;
    },
  };
}
async function openAuthority(folder: string, caFile: string, nowMs: number): Promise<Authority> {
  const keyFile = join(folder, "ca-key.pem");
  const kept = readPair(caFile, keyFile);
  if (kept !== undefined) {
    try {
      return await loadAuthority(kept, nowMs);
    } catch {}
  }
  const authority = await createAuthority("Gatewarden local hub CA", nowMs);
  write(keyFile, authority.ca.keyPem, PRIVATE_FILE);
  write(caFile, authority.ca.certificatePem, PUBLIC_FILE);
  return authority;
}
function readPair(certificateFile: string, keyFile: string): PemPair | undefined {
  try {
    return {
      certificatePem: readFileSync(certificateFile, "utf8"),
      keyPem: readFileSync(keyFile, "utf8"),
    };
  } catch {
    return undefined;
  }
}
function readKeys(file: string): readonly (readonly [string, string])[] {
  let value: JsonValue = null;
  try {
    const parsed = parseJson(readFileSync(file, "utf8"), file);
    value = parsed.ok ? parsed.value : null;
  } catch {}
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, key]) =>
    typeof key === "string" ? [[name, key] as const] : [],
  );
}
function write(file: string, text: string, mode: number): void {
  const temporary = `${file}.new`;
  writeFileSync(temporary, text, { mode });
  renameSync(temporary, file);
}
