import { createHash } from "node:crypto";
import { knownDetails, type PayloadItem } from "../../src/contract/event.ts";
import { plainText } from "../../src/parse/plain-text.ts";
import { flagText, type Sysfs } from "./sysfs.ts";

const BLOCK = "/sys/class/block";
/** Source: Linux ABI, sysfs-block: `size` counts 512-byte sectors whatever the device's own are. */
const SECTOR_BYTES = 512;

/** Disks: block devices that are no partition and have hardware behind them. */
export function diskNames(sysfs: Sysfs): readonly string[] | undefined {
  return sysfs.folder(BLOCK)?.filter((name) => isDisk(sysfs, name));
}

function isDisk(sysfs: Sysfs, name: string): boolean {
  if (/^(?:loop|ram|zram|dm-|md|nbd)\d/.test(name)) return false;
  // Hardware partitions of one eMMC chip, which has its own entry. Source: mmc-dev-parts.rst
  if (/^mmcblk\d+(?:boot\d+|rpmb|gp\d+)$/.test(name)) return false;
  const target = sysfs.link(`${BLOCK}/${name}`) ?? "";
  // NVMe with native multipath sits below devices/virtual although it is a disk.
  const isVirtual = target.includes("/devices/virtual/") && !target.includes("/nvme-subsystem/");
  return !isVirtual && sysfs.value(`${BLOCK}/${name}/partition`) === undefined;
}

export function diskItem(sysfs: Sysfs, name: string): PayloadItem {
  const folder = `${BLOCK}/${name}`;
  const attribute = (key: string): string | undefined => sysfs.value(`${folder}/${key}`);
  const names = [
    attribute("device/vendor"),
    attribute("device/model") ?? attribute("device/name"),
  ].filter((text) => text !== undefined && !text.startsWith("0x"));
  const serial = attribute("device/serial") ?? attribute("serial");
  return {
    HardwareCategory: "Storage",
    HardwareSubCategory: kindOf(sysfs, folder, name),
    HardwareName: names.length > 0 ? names.join(" ").slice(0, 256) : plainText(name),
    ...knownDetails({
      DeviceName: plainText(name),
      SizeInBytes: sizeText(attribute("size")),
      Removable: flagText(attribute("removable")),
      ReadOnly: flagText(attribute("ro")),
      SerialHash: serial === undefined ? undefined : hashOf(serial),
      BusAddress: sysfs.linkName(`${folder}/device`),
      Driver: sysfs.linkName(`${folder}/device/driver`),
    }),
  };
}

function kindOf(sysfs: Sysfs, folder: string, name: string): string {
  if (name.startsWith("nvme")) return "NVMe disk";
  if (name.startsWith("vd") || name.startsWith("xvd")) return "Virtual disk";
  if (name.startsWith("sr")) return "Optical drive";
  if (name.startsWith("mmcblk")) {
    return sysfs.value(`${folder}/device/type`) === "SD" ? "SD card" : "eMMC";
  }
  if (name.startsWith("mtdblock")) return "Flash";
  if (/\/usb\d/.test(sysfs.link(folder) ?? "")) return "USB disk";
  const rotational = sysfs.value(`${folder}/queue/rotational`);
  if (rotational === undefined) return "Disk";
  return rotational === "0" ? "Solid-state disk" : "Hard disk";
}

function sizeText(sectors: string | undefined): string | undefined {
  if (sectors === undefined || !/^\d{1,13}$/.test(sectors)) return undefined;
  return String(Number(sectors) * SECTOR_BYTES);
}

/** Tells two disks apart and finds one again, without giving the number on its label away. */
function hashOf(serial: string): string {
  return createHash("sha256").update(serial).digest("hex").slice(0, 16);
}
