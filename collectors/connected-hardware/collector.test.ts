import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { check } from "../../src/contract/schema.ts";
import { contextOf } from "../../test/collectors/case-run.ts";
import { emptyTree, type Tree, treeProbe } from "../../test/collectors/tree-probe.ts";
import { pciClassName, usbClassName } from "./class-names.ts";
import { collectConnectedHardware } from "./collect.ts";
import { connectedHardwarePayload } from "./schema.ts";

const settings = { includeVirtualInterfaces: true };

async function look(tree: Tree, wanted = settings) {
  const context = contextOf(treeProbe(tree), wanted);
  return collectConnectedHardware({ ...context, settings: wanted });
}

describe("names of classes", () => {
  it("are those of the sub-class, else of the base class, else the code", () => {
    assert.equal(pciClassName("0x020000"), "Ethernet controller");
    assert.equal(pciClassName("0x02fe00"), "Network controller");
    assert.equal(pciClassName("0x550000"), "Class 55");
    assert.equal(pciClassName("constructor"), "Unknown");
  });

  it("tell a boot keyboard and a mouse from other human interfaces", () => {
    assert.equal(usbClassName({ code: "03", subClass: "01", protocol: "01" }), "Keyboard");
    assert.equal(usbClassName({ code: "03", subClass: "01", protocol: "02" }), "Mouse");
    assert.equal(usbClassName({ code: "03", subClass: "00", protocol: "00" }), "Human interface");
  });
});

describe("the collector of connected hardware", () => {
  it("shows all faces of a device that is more than it looks", async () => {
    const tree = emptyTree();
    const device = "/sys/bus/usb/devices/1-1";
    tree.files.set(`${device}/idVendor`, "0951\n");
    tree.files.set(`${device}/bDeviceClass`, "00\n");
    tree.files.set(`${device}/1-1:1.0/bInterfaceClass`, "08\n");
    tree.files.set(`${device}/1-1:1.1/bInterfaceClass`, "03\n");
    tree.files.set(`${device}/1-1:1.1/bInterfaceProtocol`, "01\n");
    const { events } = await look(tree);
    assert.equal(events[0]?.payload[0]?.["HardwareSubCategory"], "Keyboard;Mass storage");
  });

  it("does not send the serial number of a disk", async () => {
    const tree = emptyTree();
    tree.links.set("/sys/class/block/sda", "../../devices/pci0000:00/ata1/block/sda");
    tree.files.set("/sys/class/block/sda/size", "8\n");
    tree.files.set("/sys/class/block/sda/device/serial", "S4XXNX0M123456\n");
    const text = JSON.stringify(await look(tree));
    assert.ok(!text.includes("S4XXNX0M123456"));
    assert.match(text, /"SerialHash":"[0-9a-f]{16}"/);
    assert.match(text, /"SizeInBytes":"4096"/);
  });

  it("leaves out a USB device that was unplugged in the middle of the look", async () => {
    const tree = emptyTree();
    tree.links.set("/sys/bus/usb/devices/1-1", "../../../devices/x");
    assert.deepEqual((await look(tree)).events[0]?.payload, []);
  });

  it("leaves virtual interfaces out when told to", async () => {
    const tree = emptyTree();
    tree.files.set("/sys/class/net/docker0/ifindex", "3\n");
    assert.equal((await look(tree)).events[0]?.payload.length, 1);
    const wanted = { includeVirtualInterfaces: false };
    assert.deepEqual((await look(tree, wanted)).events[0]?.payload, []);
  });

  it("reports at most 1,000 devices of a category and says that there were more", async () => {
    const tree = emptyTree();
    for (let at = 0; at < 1001; at += 1) tree.files.set(`/sys/class/net/veth${at}/ifindex`, "1\n");
    const { events, problems } = await look(tree);
    assert.equal(events[0]?.payload.length, 1000);
    assert.deepEqual(
      problems.map((problem) => problem.code),
      ["too-large"],
    );
  });

  it("stops between portions when the signal aborts, without half an answer", async () => {
    const tree = emptyTree();
    for (let at = 0; at < 100; at += 1) tree.files.set(`/sys/class/net/veth${at}/ifindex`, "1\n");
    const abort = new AbortController();
    const context = contextOf(treeProbe(tree), settings, {
      signal: abort.signal,
      onPause: () => abort.abort(),
    });
    const snapshot = await collectConnectedHardware({ ...context, settings });
    assert.deepEqual(snapshot.events, []);
    assert.equal(snapshot.problems[0]?.code, "timed-out");
  });

  it("hands over conforming items for any content of the attributes", async () => {
    const attributes = ["idVendor", "idProduct", "product", "serial", "bDeviceClass", "removable"];
    const content = fc.string({ unit: "binary", maxLength: 400 });
    const contents = fc.array(content, { minLength: 14, maxLength: 14 });
    await fc.assert(
      fc.asyncProperty(contents, async (texts) => {
        const tree = emptyTree();
        const next = texts.values();
        const put = (path: string): void => {
          tree.files.set(path, String(next.next().value ?? ""));
        };
        for (const name of attributes) put(`/sys/bus/usb/devices/1-1/${name}`);
        for (const name of ["vendor", "device", "class"]) put(`/sys/bus/pci/devices/0:0/${name}`);
        for (const name of ["size", "removable", "device/model"])
          put(`/sys/class/block/sda/${name}`);
        for (const name of ["address", "type"]) put(`/sys/class/net/eth0/${name}`);
        tree.files.set("/sys/class/net/eth0/ifindex", "2");
        const { events } = await look(tree);
        const items = events[0]?.payload ?? [];
        assert.ok(items.length >= 2);
        for (const item of items) assert.deepEqual(check(connectedHardwarePayload, item), []);
      }),
    );
  });
});
