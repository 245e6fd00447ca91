import { boolean, choice, optional, record, text } from "../../src/contract/schema.ts";

export const connectedHardwareSettings = record({
  includeVirtualInterfaces: boolean({
    default: true,
    doc: "Report network interfaces without hardware too: bridges, VLANs, tunnels, containers",
  }),
});

function detail(doc: string) {
  return optional(text({ maxLength: 256, doc }));
}

export const connectedHardwarePayload = record({
  HardwareCategory: choice(["Network", "PCI", "Storage", "USB"] as const, {
    doc: "Where it was found: /sys/class/net, /sys/bus/pci, /sys/class/block, /sys/bus/usb",
  }),
  HardwareSubCategory: text({
    maxLength: 256,
    doc: "Kind: PCI `class`; USB `bDeviceClass` or the `bInterfaceClass` of each interface, `;` between them; for disks and interfaces the kind the kernel gives them",
  }),
  HardwareName: text({
    maxLength: 256,
    doc: "USB `manufacturer` and `product`, disk `vendor` and `model`, interface name, else the ids",
  }),
  ExtraDetails: optional(
    record({
      DeviceName: detail("Kernel name: `sda`, `eth0`"),
      VendorId: detail("USB `idVendor`, PCI `vendor`: four hexadecimal digits"),
      ProductId: detail("USB `idProduct`, PCI `device`: four hexadecimal digits"),
      Revision: detail("USB `bcdDevice`, PCI `revision`"),
      Serial: detail("USB `serial` as the device tells it"),
      SerialHash: detail("First 16 hexadecimal digits of SHA-256 of a disk's `serial`"),
      BusAddress: detail("Where it is plugged in: USB port path, PCI slot, parent device"),
      Driver: detail("Kernel drivers: link `driver`; several with `;` between them"),
      Authorized: detail("USB `authorized`: `false` when the kernel was told to ignore the device"),
      Removable: detail("USB `removable`, disk `removable`"),
      ReadOnly: detail("Disk `ro`"),
      SizeInBytes: detail("Disk `size`, which counts blocks of 512 bytes"),
      MacAddress: detail("Interface `address`"),
      IsVirtual: detail("`true` for an interface without hardware: no link `device`"),
      State: detail("Interface `operstate`"),
    }),
  ),
});
