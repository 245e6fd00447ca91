import { type Device, oncePerDevice } from "../device.ts";
import { type Fact, valueFact } from "../fact.ts";
import { bootArguments, lastArgument, runningArguments } from "./kernel-arguments.ts";
import { persistedSysctl } from "./sysctls.ts";

function isOffByArgument(words: readonly string[]): boolean {
  return lastArgument(words, "ipv6.disable") === "1";
}

/** Whether the next start switches IPv6 off, by the kernel's arguments or by its parameters. */
function isOffLater(device: Device): Fact<boolean> {
  const boot = bootArguments(device);
  if (boot.state === "unreadable") return boot;
  if (boot.state === "value" && boot.value.every(({ words }) => isOffByArgument(words)))
    return valueFact(true);
  const set = persistedSysctl(device, "net.ipv6.conf.all.disable_ipv6");
  return set.state === "value" ? valueFact(set.value?.value === "1") : set;
}

/**
 * Why IPv6 is not used on this device, now and after the next start; undefined where it is. Unreadable
 * when what decides is. Source: Linux Documentation/networking/ipv6.rst, ip-sysctl.rst.
 */
export const ipv6Absence = oncePerDevice((device): Fact<string | undefined> => {
  if (device.isLive) {
    const parameters = device.facts("/proc/sys/net/ipv6");
    if (parameters.state === "unreadable") return parameters;
    if (parameters.state === "missing") {
      const running = runningArguments(device);
      const isOff = running.state === "value" && isOffByArgument(running.value);
      return valueFact(isOff ? "IPv6 is switched off (ipv6.disable=1)" : "the kernel has no IPv6");
    }
    const now = device.text("/proc/sys/net/ipv6/conf/all/disable_ipv6");
    if (now.state === "unreadable") return now;
    if (now.state === "missing" || now.value.trim() !== "1") return valueFact(undefined);
  }
  const later = isOffLater(device);
  if (later.state !== "value") return later;
  return valueFact(later.value ? "IPv6 is switched off" : undefined);
});
