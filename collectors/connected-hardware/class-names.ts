/** Names of PCI base classes by code. Source: PCI Code and ID Assignment Specification. */
const PCI_CLASSES: Readonly<Record<string, string>> = {
  "00": "Unclassified",
  "01": "Storage controller",
  "02": "Network controller",
  "03": "Display controller",
  "04": "Multimedia controller",
  "05": "Memory controller",
  "06": "Bridge",
  "07": "Communication controller",
  "08": "System peripheral",
  "09": "Input controller",
  "0a": "Docking station",
  "0b": "Processor",
  "0c": "Serial bus controller",
  "0d": "Wireless controller",
  "0e": "Intelligent controller",
  "0f": "Satellite controller",
  "10": "Encryption controller",
  "11": "Signal processing controller",
  "12": "Processing accelerator",
  "13": "Instrumentation",
  "40": "Co-processor",
  ff: "Unassigned",
};

/** The sub-classes a gateway meets; others carry the name of their base class. Same source. */
const PCI_SUBCLASSES: Readonly<Record<string, string>> = {
  "0100": "SCSI controller",
  "0101": "IDE controller",
  "0104": "RAID controller",
  "0105": "ATA controller",
  "0106": "SATA controller",
  "0107": "SAS controller",
  "0108": "NVMe controller",
  "0200": "Ethernet controller",
  "0207": "InfiniBand controller",
  "0300": "VGA controller",
  "0302": "3D controller",
  "0400": "Video controller",
  "0401": "Audio controller",
  "0403": "Audio device",
  "0600": "Host bridge",
  "0601": "ISA bridge",
  "0604": "PCI bridge",
  "0607": "CardBus bridge",
  "0700": "Serial controller",
  "0703": "Modem",
  "0801": "DMA controller",
  "0805": "SD host controller",
  "0806": "IOMMU",
  "0c00": "FireWire controller",
  "0c03": "USB controller",
  "0c05": "SMBus controller",
  "0c09": "CAN controller",
  "0d11": "Bluetooth controller",
  "0d20": "Wi-Fi controller (802.11a)",
  "0d21": "Wi-Fi controller (802.11b)",
};

/** Name of a PCI class such as `0x020000`: of the sub-class, else of the base class, else its code. */
export function pciClassName(code: string): string {
  const digits = /^0x([0-9a-f]{6})$/.exec(code)?.[1];
  if (digits === undefined) return "Unknown";
  const base = digits.slice(0, 2);
  return PCI_SUBCLASSES[digits.slice(0, 4)] ?? PCI_CLASSES[base] ?? `Class ${base}`;
}

/** Makers of what gateways are built from. Source: PCI-SIG member list. */
const PCI_VENDORS: Readonly<Record<string, string>> = {
  "1002": "AMD",
  "1022": "AMD",
  "104c": "Texas Instruments",
  "1077": "QLogic",
  "10b5": "PLX",
  "10de": "NVIDIA",
  "10ec": "Realtek",
  "1106": "VIA",
  "1131": "NXP",
  "11ab": "Marvell",
  "1234": "QEMU",
  "12d8": "Pericom",
  "14c3": "MediaTek",
  "14e4": "Broadcom",
  "15ad": "VMware",
  "15b3": "Mellanox",
  "15b7": "SanDisk",
  "168c": "Qualcomm Atheros",
  "17cb": "Qualcomm",
  "1912": "Renesas",
  "1957": "Freescale",
  "1af4": "Red Hat (virtio)",
  "1b21": "ASMedia",
  "1b36": "Red Hat (QEMU)",
  "1d0f": "Amazon",
  "1d6a": "Aquantia",
  "144d": "Samsung",
  "8086": "Intel",
  "2646": "Kingston",
};

/** Maker of a PCI device by its four digits, or undefined. */
export function pciVendorName(vendorId: string): string | undefined {
  return PCI_VENDORS[vendorId];
}

/** Names of USB classes by code. Source: USB-IF, Defined Class Codes. */
const USB_CLASSES: Readonly<Record<string, string>> = {
  "01": "Audio",
  "02": "Communications",
  "03": "Human interface",
  "05": "Physical",
  "06": "Image",
  "07": "Printer",
  "08": "Mass storage",
  "09": "Hub",
  "0a": "Communications",
  "0b": "Smart card",
  "0d": "Content security",
  "0e": "Video",
  "0f": "Healthcare",
  "10": "Audio and video",
  "11": "Billboard",
  "12": "Type-C bridge",
  dc: "Diagnostic",
  e0: "Wireless",
  ef: "Miscellaneous",
  fe: "Application specific",
  ff: "Vendor specific",
};

export interface UsbClass {
  /** Two hexadecimal digits each, lower case; sub-class and protocol may be empty. */
  readonly code: string;
  readonly subClass: string;
  readonly protocol: string;
}

/**
 * Name of a USB class. Boot keyboards and mice, Bluetooth and firmware update are told apart, because
 * a stick that is a keyboard as well is worth knowing. Source: HID 1.11 section 4.3; USB-IF.
 */
export function usbClassName({ code, subClass, protocol }: UsbClass): string {
  if (code === "03" && protocol === "01") return "Keyboard";
  if (code === "03" && protocol === "02") return "Mouse";
  if (code === "e0" && subClass === "01" && protocol === "01") return "Bluetooth";
  if (code === "fe" && subClass === "01") return "Firmware update";
  return USB_CLASSES[code] ?? `Class ${code}`;
}
