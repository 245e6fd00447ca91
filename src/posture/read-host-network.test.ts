import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import { createProbe } from "../system/probe.ts";
import { readHostNetwork } from "./read-host-network.ts";

const folder = mkdtempSync(join(tmpdir(), "gatewarden-network-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function read(name: string, files: Readonly<Record<string, string>>) {
  const root = join(folder, name);
  mkdirSync(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return readHostNetwork({ ...createProbe({ root }), endianness: "LE" });
}

const ROUTES =
  "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n" +
  "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
const local = (...addresses: readonly string[]): string =>
  addresses.map((one) => `     |-- ${one}\n        /32 host LOCAL\n`).join("");

describe("the network of the device", () => {
  it("has addresses on the interface of their connected network, loopback left out", () => {
    const { host, problems } = read("plain", {
      "proc/net/fib_trie": local("127.0.0.1", "192.0.2.2"),
      "proc/net/route": ROUTES,
      "proc/net/if_inet6": "fd000000000000000000000000000002 04 40 00 82     eth0\n",
    });
    assert.deepEqual(problems, []);
    assert.deepEqual(host?.addresses, [
      { interface: "eth0", address: "192.0.2.2", prefixLength: 24 },
      { interface: "eth0", address: "fd00::2", prefixLength: 64 },
    ]);
  });

  it("has an address without such a network on every interface, so that none is overlooked", () => {
    const { host } = read("alone", {
      "proc/net/fib_trie": local("198.51.100.9"),
      "proc/net/route": ROUTES,
      "sys/class/net/lo/ifindex": "1\n",
      "sys/class/net/wwan0/ifindex": "2\n",
    });
    assert.deepEqual(
      host?.addresses.map((one) => [one.interface, one.address]),
      [
        ["wwan0", "198.51.100.9"],
        ["eth0", "198.51.100.9"],
      ],
    );
  });

  it("is not known, rather than empty, where the addresses cannot be read", () => {
    const { host, problems } = read("none", { "etc/hostname": "x\n" });
    assert.equal(host, undefined);
    assert.deepEqual(
      problems.map(({ subject, code }) => [subject, code]),
      [["/proc/net/fib_trie", "not-found"]],
    );
  });
});
