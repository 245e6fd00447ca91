/** Somebody who comes by ssh, with a password or a key, right or wrong. */
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { VirtualMachine } from "./virtual-machine.ts";

const DEADLINE_MS = 60_000;

const OPTIONS = [
  ...["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"],
  ...["-o", "LogLevel=ERROR", "-o", "ConnectTimeout=30", "-o", "ControlPath=none"],
];

/** Tries a password once; true when it let in. */
export function comeByPassword(
  machine: VirtualMachine,
  folder: string,
  user: string,
  password: string,
): Promise<boolean> {
  const answer = join(folder, "answer.sh");
  writeFileSync(answer, `#!/bin/sh\necho '${password}'\n`);
  chmodSync(answer, 0o700);
  const methods = "PreferredAuthentications=password";
  const args = ["-o", methods, "-o", "NumberOfPasswordPrompts=1", "-o", "PubkeyAuthentication=no"];
  return visit(machine, user, args, { SSH_ASKPASS: answer, SSH_ASKPASS_REQUIRE: "force" });
}

/** Tries a key; true when it let in. */
export function comeByKey(machine: VirtualMachine, user: string, key: string): Promise<boolean> {
  const only = ["-o", "PreferredAuthentications=publickey", "-o", "IdentitiesOnly=yes"];
  return visit(machine, user, [...only, "-i", key], {});
}

/** A fresh key pair; the public one is in the file with `.pub`. */
export function makeKey(folder: string, name: string): string {
  const key = join(folder, name);
  if (!existsSync(key)) execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  return key;
}

function visit(
  machine: VirtualMachine,
  user: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<boolean> {
  const target = ["-p", String(machine.sshPort), `${user}@127.0.0.1`, "true"];
  const child = spawn("ssh", [...OPTIONS, ...args, ...target], {
    env: { ...process.env, ...variables },
    stdio: "ignore",
    timeout: DEADLINE_MS,
  });
  return new Promise((resolve) => child.once("close", (code) => resolve(code === 0)));
}
