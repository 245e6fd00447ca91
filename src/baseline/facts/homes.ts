import type { Account } from "../../parse/accounts.ts";
import type { Device } from "../device.ts";
import { type Fact, mapFact } from "../fact.ts";
import { accounts } from "./accounts.ts";

/** Programs that end a session at once. Source: nologin(8), false(1), Debian base-passwd. */
const REFUSING = /\/(?:nologin|false|true|null|sync|shutdown|halt|git-shell)$/;

/** Whether a person gets a command line with this shell. The empty text means /bin/sh. */
export function isLoginShell(shell: string): boolean {
  return !REFUSING.test(shell);
}

/** Accounts with a shell: their homes are looked at. Root is left out unless asked for. */
export function homeAccounts(device: Device, withRoot: boolean): Fact<readonly Account[]> {
  return mapFact(accounts(device), (all) =>
    all.filter((one) => isLoginShell(one.shell) && (withRoot || one.name !== "root")),
  );
}
