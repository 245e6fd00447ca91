import { knownDetails, type PayloadItem } from "../../src/contract/event.ts";
import { plainText } from "../../src/parse/plain-text.ts";
import type { Sysfs } from "./sysfs.ts";

const NET = "/sys/class/net";

/** Interfaces but the loopback. Source: Linux ABI, sysfs-class-net. */
export function interfaceNames(
  sysfs: Sysfs,
  includeVirtual: boolean,
): readonly string[] | undefined {
  return sysfs.folder(NET)?.filter((name) => {
    // Files such as bonding_masters lie between the interfaces.
    if (name === "lo" || sysfs.value(`${NET}/${name}/ifindex`) === undefined) return false;
    return includeVirtual || !isVirtual(sysfs, name);
  });
}

/** A driver of real hardware links its device; bridges, tunnels and the like have none. */
function isVirtual(sysfs: Sysfs, name: string): boolean {
  return sysfs.linkName(`${NET}/${name}/device`) === undefined;
}

export function interfaceItem(sysfs: Sysfs, name: string): PayloadItem {
  const folder = `${NET}/${name}`;
  const isWithoutHardware = isVirtual(sysfs, name);
  const address = sysfs.value(`${folder}/address`);
  return {
    HardwareCategory: "Network",
    HardwareSubCategory: kindOf(sysfs, folder, isWithoutHardware),
    HardwareName: plainText(name),
    ...knownDetails({
      DeviceName: plainText(name),
      MacAddress: address === undefined || /^[0:]+$/.test(address) ? undefined : address,
      IsVirtual: String(isWithoutHardware),
      State: sysfs.value(`${folder}/operstate`),
      BusAddress: sysfs.linkName(`${folder}/device`),
      Driver: sysfs.linkName(`${folder}/device/driver`),
    }),
  };
}

/** What drivers call their devices in `DEVTYPE=` of uevent. */
const DEVICE_TYPES: Readonly<Record<string, string>> = {
  bond: "Bond",
  bridge: "Bridge",
  dsa: "Switch port",
  ipvlan: "IPVLAN",
  macvlan: "MACVLAN",
  ppp: "PPP",
  vlan: "VLAN",
  vxlan: "Tunnel",
  wireguard: "WireGuard",
  wlan: "Wireless",
  wwan: "Mobile",
};

/** Link layers by number. Source: include/uapi/linux/if_arp.h, ARPHRD_ constants. */
const LINK_TYPES: Readonly<Record<string, string>> = {
  "32": "InfiniBand",
  "280": "CAN",
  "512": "PPP",
  "519": "Mobile",
  "768": "Tunnel",
  "769": "Tunnel",
  "776": "Tunnel",
  "778": "Tunnel",
  "801": "Wireless",
  "803": "Wireless",
  "804": "IEEE 802.15.4",
  "823": "Tunnel",
  "825": "6LoWPAN",
  "65534": "Tunnel",
};

function kindOf(sysfs: Sysfs, folder: string, isWithoutHardware: boolean): string {
  const deviceType = sysfs.fields(`${folder}/uevent`).get("DEVTYPE") ?? "";
  if (Object.hasOwn(DEVICE_TYPES, deviceType)) return DEVICE_TYPES[deviceType] ?? "Other";
  const linkType = sysfs.value(`${folder}/type`) ?? "";
  if (sysfs.value(`${folder}/tun_flags`) !== undefined) return "Tunnel";
  if (Object.hasOwn(LINK_TYPES, linkType)) return LINK_TYPES[linkType] ?? "Other";
  if (linkType !== "1") return "Other";
  return isWithoutHardware ? "Virtual Ethernet" : "Ethernet";
}
