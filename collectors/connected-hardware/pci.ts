import { knownDetails, type PayloadItem } from "../../src/contract/event.ts";
import { pciClassName, pciVendorName } from "./class-names.ts";
import { hexDigits, type Sysfs } from "./sysfs.ts";

const PCI = "/sys/bus/pci/devices";

/** Functions on the PCI bus by slot: `0000:00:1f.3`. Source: Linux ABI, sysfs-bus-pci. */
export function pciDeviceNames(sysfs: Sysfs): readonly string[] | undefined {
  return sysfs.folder(PCI);
}

/** Undefined for a device that was removed meanwhile. */
export function pciItem(sysfs: Sysfs, slot: string): PayloadItem | undefined {
  const folder = `${PCI}/${slot}`;
  const vendorId = hexDigits(sysfs.value(`${folder}/vendor`));
  const productId = hexDigits(sysfs.value(`${folder}/device`));
  if (vendorId === undefined && productId === undefined) return undefined;
  const maker = vendorId === undefined ? undefined : pciVendorName(vendorId);
  const ids = `${vendorId ?? "?"}:${productId ?? "?"}`;
  return {
    HardwareCategory: "PCI",
    HardwareSubCategory: pciClassName(sysfs.value(`${folder}/class`) ?? ""),
    HardwareName: maker === undefined ? ids : `${maker} ${ids}`,
    ...knownDetails({
      VendorId: vendorId,
      ProductId: productId,
      Revision: hexDigits(sysfs.value(`${folder}/revision`)),
      BusAddress: slot,
      Driver: sysfs.linkName(`${folder}/driver`),
    }),
  };
}
