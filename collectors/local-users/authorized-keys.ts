import type { Probe } from "../../src/contract/probe.ts";

/** Read by default. Source: sshd_config(5), AuthorizedKeysFile. */
const KEY_FILES = [".ssh/authorized_keys", ".ssh/authorized_keys2"];

const KEY_TYPE =
  /(?:^|\s)(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp\d{3}|sk-[a-z0-9-]{1,40}@openssh\.com|[a-z0-9-]{1,60}-cert-v01@openssh\.com)\s+AAAA/;

/** Lines that hold a public key, options before it or not. Source: sshd(8), AUTHORIZED_KEYS FILE FORMAT. */
export function countKeys(text: string): number {
  return text
    .split("\n")
    .filter((line) => !line.trimStart().startsWith("#") && KEY_TYPE.test(line.slice(0, 4096)))
    .length;
}

/**
 * Keys that open an account, undefined when a file is there and cannot be read. No file is no key.
 * Only regular files are opened: their owner could put a pipe or a device there.
 */
export function keysInHome(probe: Probe, home: string): number | undefined {
  let keys = 0;
  for (const name of KEY_FILES) {
    const path = `/${home}/${name}`.replace(/\/{2,}/g, "/");
    const facts = probe.facts(path);
    if (!facts.ok) {
      if (facts.problem.code === "not-permitted") return undefined;
      continue;
    }
    if (facts.value.kind !== "file") continue;
    const text = probe.readText(path);
    if (!text.ok) {
      if (text.problem.code === "not-found") continue;
      return undefined;
    }
    keys += countKeys(text.value);
  }
  return keys;
}
