import type { Device } from "../device.ts";
import { inetdServices } from "../facts/inetd.ts";
import { because, decide, evidence, type Outcome } from "../outcome.ts";

/** Services that neither inetd nor xinetd may start. Does not apply where neither is configured. */
export interface InetdCheck {
  readonly test: "inetd-off";
  /** Names of services; with a `*` at the end, any rest. */
  readonly services: readonly string[];
}

function isMeant(pattern: string, name: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** Looks the services up. */
export function judgeInetd(check: InetdCheck, device: Device): Outcome {
  const known = inetdServices(device);
  if (known.state === "unreadable") return because("error", known.reason);
  if (known.state === "missing") {
    return because("not-applicable", "neither inetd nor xinetd is configured here");
  }
  const hit = [...known.value].find(([name]) =>
    check.services.some((pattern) => isMeant(pattern, name)),
  );
  const expected = `no service ${check.services.join(" or ")}`;
  if (hit === undefined) {
    return decide(true, evidence("inetd and xinetd", expected, "none of them", "persistent"));
  }
  return decide(false, evidence(hit[1], expected, hit[0], "persistent"));
}
