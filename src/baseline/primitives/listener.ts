import type { Device } from "../device.ts";
import { because, decide, evidence, type Outcome } from "../outcome.ts";

/** TCP ports on which only this device itself is served. Does not apply to a root that does not run. */
export interface LoopbackOnlyCheck {
  readonly test: "loopback-only";
  readonly ports: readonly number[];
}

const TCP_LISTEN = 10;

/** Source: RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3. */
function isLoopback(address: string): boolean {
  return address === "::1" || /^(?:::ffff:)?127\./.test(address);
}

/** Looks at the listening sockets. */
export function judgeLoopbackOnly(check: LoopbackOnlyCheck, device: Device): Outcome {
  const list = device.sockets();
  if (list.state === "unreadable") return because("error", list.reason);
  if (list.state === "missing") return because("not-applicable", "nothing listens on this root");
  const expected = `TCP ports ${check.ports.join(", ")} on loopback only`;
  const listening = list.value.sockets.filter(
    ({ protocol, state, localPort }) =>
      protocol === "tcp" && state === TCP_LISTEN && check.ports.includes(localPort),
  );
  const open = listening.find(({ localAddress }) => !isLoopback(localAddress));
  const [problem] = list.value.problems ?? [];
  if (open === undefined && problem !== undefined) {
    return because("error", `${problem.subject}: ${problem.detail}`);
  }
  const shown = open ?? listening[0];
  const found =
    shown === undefined ? "no listener" : `${shown.localAddress} port ${shown.localPort}`;
  const look = evidence("listening sockets", expected, found, "live");
  return decide(open === undefined, look);
}
