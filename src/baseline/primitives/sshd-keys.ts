import type { Device } from "../device.ts";
import { sshdConfig } from "../facts/sshd-config.ts";
import { expandGlob } from "../glob.ts";
import { allOf, anyOf, because, type Outcome } from "../outcome.ts";
import { type FileModeCheck, judgeFileMode } from "./file.ts";

/** Modes of the keys by which the SSH server proves who it is. */
export interface SshdKeyModeCheck {
  readonly test: "sshd-key-mode";
  readonly part: "private" | "public";
}

/** Source: sshd_config(5), HostKey. */
const DEFAULT_KEYS = "/etc/ssh/ssh_host_*_key";

/**
 * Keys that `HostKey` names, or those of the default names. A private key may be read by root, and where
 * there is a group `ssh_keys` (Fedora and its kin) by that group.
 */
export function judgeSshdKeyMode(check: SshdKeyModeCheck, device: Device): Outcome {
  const config = sshdConfig(device);
  if (config.state === "unreadable") return because("error", config.reason);
  if (config.state === "missing") return because("not-applicable", "no SSH server here");
  const named = config.value.values.get("hostkey")?.value.split(/\s+/) ?? [];
  const keys = named.length > 0 ? named.filter((path) => path.startsWith("/")) : [DEFAULT_KEYS];
  const outcomes: Outcome[] = [];
  for (const key of keys) {
    const paths = expandGlob(device, check.part === "public" ? `${key}.pub` : key);
    if (paths.state === "unreadable") return because("error", paths.reason);
    for (const path of paths.state === "value" ? paths.value : []) {
      outcomes.push(judgeKey(check.part, path, device));
    }
  }
  if (outcomes.length === 0) return because("not-applicable", "the SSH server has no key files");
  return allOf(outcomes);
}

function judgeKey(part: "private" | "public", path: string, device: Device): Outcome {
  const test: FileModeCheck["test"] = "file-mode";
  if (part === "public") return judgeFileMode({ test, path, maxMode: 0o644 }, device);
  const own = judgeFileMode({ test, path, maxMode: 0o600 }, device);
  if (own.verdict !== "fail") return own;
  return anyOf([own, judgeFileMode({ test, path, maxMode: 0o640, groups: ["ssh_keys"] }, device)]);
}
