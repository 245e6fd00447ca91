import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ipv6FromBytes } from "../../parse/addresses.ts";
import { CATALOGUE } from "./catalogue.ts";
import { addressMatcher, parseCidr } from "./cidr.ts";
import { DEVICE_MEASURES } from "./device-measures.ts";
import type { ItemFields } from "./occurrence.ts";

function measureOf(ruleType: string) {
  const measure = DEVICE_MEASURES.find((one) => one.ruleType === ruleType);
  assert.ok(measure !== undefined);
  return measure;
}

/** What an item means to a rule: `yes`, `no`, `unknown`, or the value that must be on the list. */
function bearingOf(ruleType: string, name: string, item: ItemFields): string {
  const times = { firstMs: 0, lastMs: 0, hits: 1 };
  const bearing = measureOf(ruleType).bearing({ eventId: "", name, item, ...times });
  return bearing.bears === "yes" && bearing.value !== "" ? bearing.value : bearing.bears;
}

const out = { Direction: "Out", Protocol: "tcp", RemoteAddress: "192.0.2.7", RemotePort: "443" };
const login = { UserName: "ops", Operation: "sshd", Result: "Success" };

describe("the device's rules", () => {
  it("are all the official ones that belong to the device", () => {
    const official = CATALOGUE.filter((entry) => entry.place === "device");
    assert.deepEqual(
      DEVICE_MEASURES.map((one) => one.ruleType).sort(),
      official.map((entry) => entry.ruleType).sort(),
    );
    for (const measure of DEVICE_MEASURES) {
      const entry = official.find((one) => one.ruleType === measure.ruleType);
      assert.equal(measure.matcher !== undefined, entry?.list === "allowlistRules");
    }
  });

  const table: readonly (readonly [string, string, ItemFields, string])[] = [
    ["ActiveConnectionsNotInAllowedRange", "ConnectionCreate", out, "yes"],
    ["ActiveConnectionsNotInAllowedRange", "ConnectionCreate", { ...out, Direction: "In" }, "yes"],
    [
      "ActiveConnectionsNotInAllowedRange",
      "ConnectionCreate",
      { ...out, ExtraDetails: { State: "existing" } },
      "yes",
    ],
    [
      "ActiveConnectionsNotInAllowedRange",
      "ConnectionCreate",
      { ...out, ExtraDetails: { State: "failed" } },
      "no",
    ],
    [
      "ActiveConnectionsNotInAllowedRange",
      "ConnectionCreate",
      { ...out, RemoteAddress: "::ffff:127.0.0.1" },
      "no",
    ],
    ["ActiveConnectionsNotInAllowedRange", "ConnectionCreate", {}, "unknown"],
    ["FailedLocalLoginsNotInAllowedRange", "Login", { ...login, Result: "Fail" }, "yes"],
    [
      "FailedLocalLoginsNotInAllowedRange",
      "Login",
      { Result: "Fail", UserName: "", RemoteAddress: "2001:db8::1" },
      "yes",
    ],
    ["FailedLocalLoginsNotInAllowedRange", "Login", login, "no"],
    ["FailedLocalLoginsNotInAllowedRange", "Login", { Result: 1 }, "unknown"],
    ["ConnectionToIpNotAllowed", "ConnectionCreate", out, "192.0.2.7"],
    [
      "ConnectionToIpNotAllowed",
      "ConnectionCreate",
      { ...out, RemoteAddress: "::FFFF:192.0.2.7" },
      "192.0.2.7",
    ],
    [
      "ConnectionToIpNotAllowed",
      "ConnectionCreate",
      { ...out, RemoteAddress: "2001:0DB8:0::1" },
      "2001:db8::1",
    ],
    [
      "ConnectionToIpNotAllowed",
      "ConnectionCreate",
      { ...out, ExtraDetails: { State: "failed" } },
      "192.0.2.7",
    ],
    ["ConnectionToIpNotAllowed", "ConnectionCreate", { ...out, Direction: "In" }, "no"],
    ["ConnectionToIpNotAllowed", "ConnectionCreate", { ...out, RemoteAddress: "127.8.8.8" }, "no"],
    ["ConnectionToIpNotAllowed", "ConnectionCreate", { ...out, RemoteAddress: "::1" }, "no"],
    ["ConnectionToIpNotAllowed", "ConnectionCreate", { ...out, RemoteAddress: "0.0.0.0" }, "no"],
    ["ConnectionToIpNotAllowed", "ConnectionCreate", { ...out, RemoteAddress: "host" }, "unknown"],
    ["ConnectionToIpNotAllowed", "ConnectionCreate", { RemoteAddress: "192.0.2.7" }, "unknown"],
    ["ConnectionFromIpNotAllowed", "ConnectionCreate", { ...out, Direction: "In" }, "192.0.2.7"],
    ["ConnectionFromIpNotAllowed", "ConnectionCreate", out, "no"],
    ["LocalUserNotAllowed", "Login", login, "ops"],
    ["LocalUserNotAllowed", "Login", { ...login, Result: "Fail" }, "no"],
    ["LocalUserNotAllowed", "Login", { ...login, UserName: "" }, "unknown"],
    ["LocalUserNotAllowed", "Login", { UserName: "ops" }, "unknown"],
    ["ProcessNotAllowed", "ProcessCreate", { Executable: "/usr/bin/nc" }, "/usr/bin/nc"],
    ["ProcessNotAllowed", "ProcessCreate", { Executable: "" }, "unknown"],
    ["ProcessNotAllowed", "ProcessCreate", { CommandLine: "nc -l" }, "unknown"],
  ];
  for (const [ruleType, name, item, expected] of table) {
    it(`${ruleType} takes ${JSON.stringify(item)} as ${expected}`, () => {
      assert.equal(bearingOf(ruleType, name, item), expected);
    });
  }
});

describe("a list of programs", () => {
  const table: readonly (readonly [readonly string[], string, boolean])[] = [
    [["sshd"], "/usr/sbin/sshd", true],
    [["sshd"], "/tmp/sshd", true],
    [["/usr/sbin/sshd"], "/usr/sbin/sshd", true],
    [["/usr/sbin/sshd"], "/tmp/sshd", false],
    [["/bin/sh"], "/usr/bin/sh", true],
    [["/usr/bin/sh"], "/bin/sh", true],
    [["/usr/lib/x/y"], "/lib/x/y", true],
    [["/usr/local/bin/sh"], "/bin/sh", false],
    [["/usr/local/bin/sh"], "/local/bin/sh", false],
    [["SSHD"], "/usr/sbin/sshd", false],
    [["ssh"], "/usr/sbin/sshd", false],
    [["bash", "dash"], "dash", true],
    [[], "/usr/bin/true", false],
  ];
  for (const [list, program, isAllowed] of table) {
    it(`${JSON.stringify(list)} ${isAllowed ? "has" : "has not"} ${program}`, () => {
      assert.equal(measureOf("ProcessNotAllowed").matcher?.(list)(program), isAllowed);
    });
  }
});

describe("a list of addresses", () => {
  const table: readonly (readonly [readonly string[], string, boolean])[] = [
    [["192.168.0.1/8"], "192.1.2.3", true],
    [["192.168.0.1/8"], "193.168.0.1", false],
    [["10.0.0.0/9"], "10.127.255.255", true],
    [["10.0.0.0/9"], "10.128.0.0", false],
    [["203.0.113.9"], "203.0.113.9", true],
    [["203.0.113.9"], "203.0.113.8", false],
    [["0.0.0.0/0"], "8.8.8.8", true],
    [["0.0.0.0/0"], "2001:db8::1", false],
    [["::/0"], "2001:db8::1", true],
    [["::/0"], "8.8.8.8", false],
    [["2001:db8::/33"], "2001:db8:7fff::1", true],
    [["2001:db8::/33"], "2001:db8:8000::1", false],
    [["10.0.0.0/8"], "::ffff:10.1.2.3", true],
    [["::ffff:10.0.0.0/104"], "10.1.2.3", true],
    [["::ffff:10.0.0.0/104"], "11.1.2.3", false],
    [["::ffff:10.0.0.1"], "10.0.0.1", true],
    [["fe80::/10"], "fe80::1", true],
    [["10.0.0.0/8", "2001:db8::/32"], "2001:db8:5::", true],
    [[], "10.0.0.1", false],
    [["nonsense", "10.0.0.0/8"], "10.0.0.1", true],
    [["10.0.0.0/8"], "nonsense", false],
  ];
  for (const [list, address, isAllowed] of table) {
    it(`${JSON.stringify(list)} ${isAllowed ? "has" : "has not"} ${address}`, () => {
      assert.equal(addressMatcher(list)(address), isAllowed);
    });
  }

  it("has exactly the addresses that share the prefix", () => {
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
    const bits = (address: Uint8Array) =>
      [...address].map((byte) => byte.toString(2).padStart(8, "0")).join("");
    fc.assert(
      fc.property(
        bytes,
        bytes,
        fc.nat({ max: 128 }),
        fc.nat({ max: 128 }),
        (a, b, prefix, same) => {
          // Half of the time both begin alike, or the property would hardly ever see a match.
          const wholeBytes = same >> 3;
          const other = Uint8Array.from([...a.slice(0, wholeBytes), ...b.slice(wholeBytes)]);
          a[0] = 0x20;
          other[0] = 0x20;
          const isIn = addressMatcher([`${ipv6FromBytes(a)}/${prefix}`])(ipv6FromBytes(other));
          assert.equal(isIn, bits(a).slice(0, prefix) === bits(other).slice(0, prefix));
        },
      ),
    );
  });

  it("does not take what is no range", () => {
    for (const text of ["", "/", "10.0.0.0/", "/8", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/8/8"]) {
      assert.equal(parseCidr(text), undefined, text);
    }
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        parseCidr(text);
        addressMatcher([text])(text);
      }),
    );
  });
});
