import type { Device } from "../device.ts";
import { allOf, because, decide, evidence, type Outcome } from "../outcome.ts";

/** Whether every wireless network interface is down or blocked. */
export interface WirelessOffCheck {
  readonly test: "wireless-off";
}

const NET = "/sys/class/net";
/** Source: linux/if.h, IFF_UP. */
const IFF_UP = 1;

function isRadio(device: Device, name: string): boolean {
  return ["wireless", "phy80211"].some(
    (folder) => device.facts(`${NET}/${name}/${folder}`).state === "value",
  );
}

/** Blocked by a switch or by software. Source: Linux ABI, sysfs-class-rfkill. */
function blockOf(device: Device, name: string): string | undefined {
  const folder = `${NET}/${name}/phy80211`;
  const entries = device.folder(folder);
  for (const entry of entries.state === "value" ? entries.value : []) {
    if (!/^rfkill\d+$/.test(entry)) continue;
    for (const kind of ["hard", "soft"]) {
      const text = device.text(`${folder}/${entry}/${kind}`);
      if (text.state === "value" && text.value.trim() === "1") return `${kind} blocked`;
    }
  }
  return undefined;
}

/** Judges the running interfaces. Source: Linux ABI, sysfs-class-net. */
export function judgeWirelessOff(_check: WirelessOffCheck, device: Device): Outcome {
  const names = device.folder(NET);
  if (names.state === "unreadable") return because("error", names.reason);
  const radios = (names.state === "value" ? names.value : []).filter((name) =>
    isRadio(device, name),
  );
  if (radios.length === 0) return because("not-applicable", "no wireless interface here");
  return allOf(
    radios.map((name): Outcome => {
      const flags = device.text(`${NET}/${name}/flags`);
      if (flags.state === "unreadable") return because("error", flags.reason);
      if (flags.state === "missing") return because("not-applicable", `${name} went away`);
      const bits = Number(flags.value.trim());
      if (!Number.isInteger(bits)) return because("error", `${NET}/${name}/flags: no number`);
      const isUp = (bits & IFF_UP) !== 0;
      const block = blockOf(device, name);
      const word = block ?? (isUp ? "up" : "down");
      return decide(
        !isUp || block !== undefined,
        evidence(`${NET}/${name}`, "down or blocked", word, "live"),
      );
    }),
  );
}
