import type { Device } from "../device.ts";
import { lastArgument, runningArguments } from "../facts/kernel-arguments.ts";
import { allOf, anyOf, because, type Outcome } from "../outcome.ts";
import { judgeKernelArgument } from "./kernel-argument.ts";
import { judgeSysctl } from "./sysctl.ts";

/** Whether IPv6 is switched off, by an argument of the kernel or by its parameters. */
export interface Ipv6OffCheck {
  readonly test: "ipv6-off";
}

const ON = { oneOf: ["1"] };

/** A kernel without IPv6 has nothing to switch off; one that was started so passes. */
export function judgeIpv6Off(_check: Ipv6OffCheck, device: Device): Outcome {
  const running = runningArguments(device);
  if (running.state === "unreadable") return because("error", running.reason);
  const isOffNow = running.state === "value" && lastArgument(running.value, "ipv6.disable") === "1";
  if (device.isLive && !isOffNow && device.facts("/proc/sys/net/ipv6").state === "missing")
    return because("not-applicable", "the kernel has no IPv6");
  const parameters = ["all", "default"].map((name) =>
    judgeSysctl(
      { test: "sysctl", key: `net.ipv6.conf.${name}.disable_ipv6`, expected: ON },
      device,
    ),
  );
  return anyOf([
    judgeKernelArgument({ test: "kernel-argument", name: "ipv6.disable", expected: ON }, device),
    allOf(parameters),
  ]);
}
