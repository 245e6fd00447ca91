import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  directRoute,
  parseIpv4Routes,
  parseIpv6Addresses,
  parseIpv6Routes,
  type Route,
} from "./routes.ts";

const HEAD =
  "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

describe("routes of IPv4", () => {
  it("are read in the byte order of the kernel", () => {
    const table = `${HEAD}eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\neth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n`;
    assert.deepEqual(parseIpv4Routes(table, "LE"), [
      { destination: "0.0.0.0", prefixLength: 0, interface: "eth0", isDirect: false },
      { destination: "192.0.2.0", prefixLength: 24, interface: "eth0", isDirect: true },
    ]);
    const big = `${HEAD}eth0\tC0000200\t00000000\t0001\t0\t0\t0\tFFFFFF00\t0\t0\t0\n`;
    assert.equal(parseIpv4Routes(big, "BE")[0]?.destination, "192.0.2.0");
  });

  it("leave out what refuses packets", () => {
    const table = `${HEAD}*\t000200C0\t00000000\t0200\t0\t0\t0\t00FFFFFF\t0\t0\t0\n`;
    assert.deepEqual(parseIpv4Routes(table, "LE"), []);
  });

  it("tell the interface of an address by the most specific network", () => {
    const routes: readonly Route[] = [
      { destination: "0.0.0.0", prefixLength: 0, interface: "ppp0", isDirect: true },
      { destination: "10.0.0.0", prefixLength: 8, interface: "eth0", isDirect: true },
      { destination: "10.1.0.0", prefixLength: 16, interface: "eth1", isDirect: true },
      { destination: "10.1.2.0", prefixLength: 24, interface: "eth2", isDirect: false },
    ];
    assert.equal(directRoute("10.1.2.3", routes)?.interface, "eth1");
    assert.equal(directRoute("10.2.0.1", routes)?.interface, "eth0");
    assert.equal(directRoute("192.0.2.1", routes), undefined);
  });
});

describe("addresses and routes of IPv6", () => {
  it("are read with prefix and interface", () => {
    assert.deepEqual(
      parseIpv6Addresses("fd000000000000000000000000000002 04 40 00 82     eth0\n"),
      [{ interface: "eth0", address: "fd00::2", prefixLength: 64 }],
    );
    const zero = "0".repeat(32);
    const table = [
      `fd000000000000000000000000000000 40 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001     eth0`,
      `${zero} 00 ${zero} 00 fd000000000000000000000000000001 00000400 00000003 00000000 00000003     eth0`,
      `${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200       lo`,
    ].join("\n");
    assert.deepEqual(parseIpv6Routes(table), [
      { destination: "fd00::", prefixLength: 64, interface: "eth0", isDirect: true },
      { destination: "::", prefixLength: 0, interface: "eth0", isDirect: false },
    ]);
  });

  it("never throw, whatever the text", () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom("LE" as const, "BE" as const), (text, order) => {
        parseIpv4Routes(`${HEAD}${text}`, order);
        parseIpv6Routes(text);
        parseIpv6Addresses(text);
      }),
    );
  });
});
