import {
  abandonedSnapshot,
  type CollectorContext,
  type Snapshot,
} from "../../src/contract/collector.ts";
import type { PayloadItem } from "../../src/contract/event.ts";
import type { Problem } from "../../src/contract/result.ts";
import type { Infer } from "../../src/contract/schema.ts";
import { interfaceItem, interfaceNames } from "./network.ts";
import { pciDeviceNames, pciItem } from "./pci.ts";
import type { connectedHardwareSettings } from "./schema.ts";
import { diskItem, diskNames } from "./storage.ts";
import { createSysfs, type Sysfs } from "./sysfs.ts";
import { usbDeviceNames, usbItem } from "./usb.ts";

type Context = CollectorContext<Infer<typeof connectedHardwareSettings>>;

/** Most devices of one category: tunnels and containers come in any number. */
const MOST_DEVICES = 1000;
const DEVICES_PER_PORTION = 50;

interface Category {
  readonly name: string;
  /** Undefined when the kernel has no such bus or class. */
  readonly names: readonly string[] | undefined;
  /** Undefined when the device is gone. */
  item(name: string): PayloadItem | undefined;
}

/** What is plugged in: USB, PCI, disks and network interfaces, as sysfs shows them. */
export async function collectConnectedHardware(context: Context): Promise<Snapshot> {
  if (context.signal.aborted) return abandonedSnapshot("/sys");
  const sysfs = createSysfs(context.probe);
  const categories = categoriesOf(sysfs, context.settings.includeVirtualInterfaces);
  if (categories.every((category) => category.names === undefined)) {
    const [refused] = sysfs.problems();
    return { events: [], problems: [refused ?? noSysfs()] };
  }
  const payload: PayloadItem[] = [];
  const problems: Problem[] = [];
  for (const category of categories) {
    const names = category.names ?? [];
    problems.push(...tooMany(category.name, names.length));
    for (const [index, name] of names.slice(0, MOST_DEVICES).entries()) {
      if (index % DEVICES_PER_PORTION === DEVICES_PER_PORTION - 1) await context.pause();
      if (context.signal.aborted) return abandonedSnapshot("/sys");
      const item = category.item(name);
      if (item !== undefined) payload.push(item);
    }
  }
  problems.push(...sysfs.problems());
  return { events: [{ name: "ConnectedHardware", payload }], problems };
}

/** In the order of their names, so that the same hardware yields the same bytes. */
function categoriesOf(sysfs: Sysfs, includeVirtual: boolean): readonly Category[] {
  return [
    {
      name: "Network",
      names: interfaceNames(sysfs, includeVirtual),
      item: (name) => interfaceItem(sysfs, name),
    },
    { name: "PCI", names: pciDeviceNames(sysfs), item: (slot) => pciItem(sysfs, slot) },
    { name: "Storage", names: diskNames(sysfs), item: (name) => diskItem(sysfs, name) },
    { name: "USB", names: usbDeviceNames(sysfs), item: (name) => usbItem(sysfs, name) },
  ];
}

function noSysfs(): Problem {
  return { code: "not-found", subject: "/sys", detail: "sysfs is not mounted" };
}

function tooMany(category: string, count: number): readonly Problem[] {
  if (count <= MOST_DEVICES) return [];
  const detail = `${count} devices of category ${category}; the first ${MOST_DEVICES} are reported`;
  return [{ code: "too-large", subject: `/sys ${category}`, detail }];
}
