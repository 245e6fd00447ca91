import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { check } from "../../src/contract/schema.ts";
import { contextOf } from "../../test/collectors/case-run.ts";
import { emptyTree, treeProbe } from "../../test/collectors/tree-probe.ts";
import { collectSystemInformation } from "./collect.ts";
import { bootDevice, countCpuList, hypervisorOf, machineIdOf, parseCpuinfo } from "./parse.ts";
import { systemInformationPayload } from "./schema.ts";

describe("the boot device", () => {
  const root = (source: string): string => `27 1 8:2 / / rw shared:1 - ext4 ${source} rw\n`;

  it("is the source of the root mount", () => {
    assert.equal(bootDevice(root("/dev/sda2"), "root=UUID=1 ro"), "/dev/sda2");
  });

  it("is the root parameter where the mount only says /dev/root", () => {
    assert.equal(bootDevice(root("/dev/root"), "quiet root=PARTUUID=ab-02 ro"), "PARTUUID=ab-02");
  });

  it("is that of the topmost mount when several lie on each other", () => {
    assert.equal(bootDevice(root("/dev/sda1") + root("/dev/sda2"), ""), "/dev/sda2");
  });

  it("is not taken from a parameter that merely ends like it", () => {
    assert.equal(bootDevice("", "nfsroot=192.0.2.1:/x systemd.root=1"), undefined);
  });
});

describe("the CPU", () => {
  it("is named by its model", () => {
    const cpu = parseCpuinfo("processor\t: 0\nmodel name\t: Atom\nflags\t\t: fpu hypervisor sse\n");
    assert.deepEqual(cpu, { count: 1, model: "Atom", hasHypervisorFlag: true });
  });

  it("is counted from a list of ranges", () => {
    assert.equal(countCpuList("0-3,8,10-11\n"), 7);
    assert.equal(countCpuList("none"), undefined);
  });
});

describe("the hypervisor", () => {
  const none = { dmi: [], hypervisorType: "", deviceTree: "", hasHypervisorFlag: false };

  it("is absent on bare metal", () => {
    assert.equal(hypervisorOf({ ...none, dmi: ["Advantech", "UNO-2484G"] }), undefined);
  });

  it("is known by DMI, by Xen's own file and by the CPU flag, in this order", () => {
    assert.equal(hypervisorOf({ ...none, dmi: ["QEMU"], hasHypervisorFlag: true }), "qemu");
    assert.equal(hypervisorOf({ ...none, hypervisorType: "xen", hasHypervisorFlag: true }), "xen");
    assert.equal(hypervisorOf({ ...none, hasHypervisorFlag: true }), "unknown");
  });
});

describe("the machine id", () => {
  it("is not taken from a file that is not set yet", () => {
    assert.equal(machineIdOf("uninitialized\n"), undefined);
    assert.equal(machineIdOf(`${"0".repeat(32)}\n`), undefined);
  });

  it("never leaves the device as it is", async () => {
    const id = "0123456789abcdef0123456789abcdef";
    const tree = emptyTree();
    tree.files.set("/etc/machine-id", `${id}\n`);
    const text = JSON.stringify(await collectSystemInformation(contextOf(treeProbe(tree), {})));
    assert.match(text, /"MachineIdHash":"[0-9a-f]{32}"/);
    assert.ok(!text.includes(id));
  });
});

describe("the collector of system information", () => {
  it("does not present the kernel's release as the version of a distribution", async () => {
    const tree = emptyTree();
    tree.files.set("/etc/os-release", "NAME=Custom\n");
    const probe = {
      ...treeProbe(tree),
      kernel: () => ({
        ok: true as const,
        value: { sysname: "Linux", release: "6.1", version: "#1", machine: "x", hostName: "h" },
      }),
    };
    const { events } = await collectSystemInformation(contextOf(probe, {}));
    assert.equal(events[0]?.payload[0]?.["OSName"], "Custom");
    assert.equal(events[0]?.payload[0]?.["OSVersion"], undefined);
  });

  it("hands over conforming items for any content of the files", async () => {
    const paths = [
      "/etc/os-release",
      "/proc/meminfo",
      "/proc/cpuinfo",
      "/proc/stat",
      "/proc/uptime",
      "/proc/cmdline",
      "/proc/self/mountinfo",
      "/proc/device-tree/model",
      "/sys/class/dmi/id/sys_vendor",
      "/sys/devices/system/cpu/online",
      "/run/systemd/container",
    ];
    const content = fc.oneof(
      fc.string({ unit: "binary", maxLength: 400 }),
      fc.constantFrom("MemTotal: 1 kB\n", "root=x", "1.5 2", "btime 3\n", "0-99999\n"),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(content, { minLength: 11, maxLength: 11 }), async (texts) => {
        const tree = emptyTree();
        for (const [index, path] of paths.entries()) tree.files.set(path, texts[index] ?? "");
        const { events } = await collectSystemInformation(contextOf(treeProbe(tree), {}));
        for (const item of events[0]?.payload ?? []) {
          assert.deepEqual(check(systemInformationPayload, item), []);
        }
      }),
    );
  });
});
