import type { Device } from "../device.ts";
import { type PasswordAges, passwordAges } from "../facts/accounts.ts";
import { because, decide, evidence, type Outcome } from "../outcome.ts";

/** The kind of password that an account has. Does not apply without the account. */
export interface AccountPasswordCheck {
  readonly test: "account-password";
  readonly account: string;
  /** The kinds that are good. */
  readonly kinds: readonly PasswordAges["password"][];
}

/** Looks at the kind only: the hash is not kept. */
export function judgeAccountPassword(check: AccountPasswordCheck, device: Device): Outcome {
  const ages = passwordAges(device);
  if (ages.state === "unreadable") return because("error", ages.reason);
  if (ages.state === "missing") return because("not-applicable", "/etc/shadow is not there");
  const line = ages.value.find(({ name }) => name === check.account);
  if (line === undefined) return because("not-applicable", `no account ${check.account} here`);
  const expected = `password of ${check.account}: ${check.kinds.join(" or ")}`;
  return decide(
    check.kinds.includes(line.password),
    evidence("/etc/shadow", expected, line.password, "persistent"),
  );
}
