import { knownDetails, type PayloadItem } from "../../src/contract/event.ts";
import { type UsbClass, usbClassName } from "./class-names.ts";
import { flagText, hexDigits, joinDistinct, type Sysfs } from "./sysfs.ts";

const USB = "/sys/bus/usb/devices";

/**
 * Devices on USB ports: `1-1.2`, without interfaces (`1-1.2:1.0`) and without root hubs (`usb1`), which
 * are the host controllers themselves. Source: Linux ABI, sysfs-bus-usb.
 */
export function usbDeviceNames(sysfs: Sysfs): readonly string[] | undefined {
  return sysfs.folder(USB)?.filter((name) => /^\d{1,4}-\d{1,3}(?:\.\d{1,3})*$/.test(name));
}

/** Undefined for a device that was unplugged meanwhile. */
export function usbItem(sysfs: Sysfs, name: string): PayloadItem | undefined {
  const folder = `${USB}/${name}`;
  const attribute = (key: string): string | undefined => sysfs.value(`${folder}/${key}`);
  const vendorId = hexDigits(attribute("idVendor"));
  const productId = hexDigits(attribute("idProduct"));
  if (vendorId === undefined && productId === undefined) return undefined;
  const interfaces = interfaceFolders(sysfs, folder, name);
  const drivers = interfaces.flatMap((path) => sysfs.linkName(`${path}/driver`) ?? []);
  const names = [attribute("manufacturer"), attribute("product")].filter(
    (text) => text !== undefined,
  );
  return {
    HardwareCategory: "USB",
    HardwareSubCategory: kindOf(sysfs, folder, interfaces),
    HardwareName:
      names.length > 0 ? names.join(" ").slice(0, 256) : `${vendorId ?? "?"}:${productId ?? "?"}`,
    ...knownDetails({
      VendorId: vendorId,
      ProductId: productId,
      Revision: attribute("bcdDevice"),
      Serial: attribute("serial"),
      BusAddress: name,
      Driver: joinDistinct(drivers),
      Authorized: flagText(attribute("authorized")),
      Removable: attribute("removable"),
    }),
  };
}

function interfaceFolders(sysfs: Sysfs, folder: string, name: string): readonly string[] {
  const names = sysfs.folder(folder) ?? [];
  return names.filter((entry) => entry.startsWith(`${name}:`)).map((entry) => `${folder}/${entry}`);
}

/** Class 00 and ef (miscellaneous) mean: look at the interfaces. Source: USB-IF, Defined Class Codes. */
function kindOf(sysfs: Sysfs, folder: string, interfaces: readonly string[]): string {
  const own = classOf(sysfs, folder, "bDevice");
  const isComposite = own.code === "00" || own.code === "ef" || own.code === "";
  const classes = isComposite
    ? interfaces.map((path) => classOf(sysfs, path, "bInterface"))
    : [own];
  const known = classes.filter(({ code }) => code !== "").map(usbClassName);
  return joinDistinct(known) ?? "Unknown";
}

function classOf(sysfs: Sysfs, folder: string, prefix: "bDevice" | "bInterface"): UsbClass {
  const digits = (key: string): string => sysfs.value(`${folder}/${prefix}${key}`) ?? "";
  return { code: digits("Class"), subClass: digits("SubClass"), protocol: digits("Protocol") };
}
