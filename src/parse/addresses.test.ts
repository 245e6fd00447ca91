import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Ajv } from "ajv";
import formats from "ajv-formats";
import fc from "fast-check";
import {
  addressBytes,
  addressFamily,
  canonicalAddress,
  ipv4FromBytes,
  ipv6FromBytes,
  isIpAddress,
  isLoopbackAddress,
} from "./addresses.ts";

const ajv = new Ajv();
formats.default(ajv);
const isAjvIpv4 = ajv.compile({ type: "string", format: "ipv4" });
const isAjvIpv6 = ajv.compile({ type: "string", format: "ipv6" });

/** Text that is an address, nearly one, or far from one. */
const addressLike = fc.oneof(
  fc.ipV4(),
  fc.ipV4Extended(),
  fc.ipV6(),
  fc.stringMatching(/^[0-9a-fA-F:.%]{0,46}$/),
  fc
    .array(fc.constantFrom("0", "1", "ffff", "00", "255", "256", "", "10000"), { maxLength: 10 })
    .map((parts) => parts.join(":")),
  fc
    .array(fc.constantFrom("0", "1", "01", "255", "256", ""), { minLength: 3, maxLength: 5 })
    .map((parts) => parts.join(".")),
  fc.string(),
);

const ipv6Bytes = fc.oneof(
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  fc
    .array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 })
    .map((bytes) => Uint8Array.from(bytes)),
);

describe("addresses", () => {
  it("agree with the JSON Schema formats ipv4 and ipv6 on any text", () => {
    fc.assert(
      fc.property(addressLike, (text) => {
        assert.equal(addressFamily(text) === "ipv4", isAjvIpv4(text), `ipv4 ${text}`);
        assert.equal(addressFamily(text) === "ipv6", isAjvIpv6(text), `ipv6 ${text}`);
      }),
      { numRuns: 2000 },
    );
  });

  it("refuse zones, prefixes, leading zeros, ports and names", () => {
    for (const text of ["fe80::1%eth0", "10.0.0.0/8", "010.0.0.1", "1.2.3.4:80", "localhost", ""]) {
      assert.equal(isIpAddress(text), false, text);
    }
  });

  it("print IPv6 as RFC 5952 wants it", () => {
    const cases: readonly (readonly [string, string])[] = [
      ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
      ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
      ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
      ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
      ["0:0:0:0:0:0:0:0", "::"],
      ["1:0:0:0:0:0:0:0", "1::"],
      ["::FFFF:C000:0201", "::ffff:192.0.2.1"],
      ["::1.2.3.4", "::102:304"],
      ["1::8.8.8.8", "1::808:808"],
    ];
    for (const [text, canonical] of cases) assert.equal(canonicalAddress(text), canonical, text);
  });

  it("keep every IPv6 address through print and parse, in one spelling", () => {
    fc.assert(
      fc.property(ipv6Bytes, (bytes) => {
        const text = ipv6FromBytes(bytes);
        assert.ok(isAjvIpv6(text), text);
        assert.deepEqual(addressBytes(text), Uint8Array.from(bytes));
        assert.equal(canonicalAddress(text), text);
      }),
      { numRuns: 1000 },
    );
  });

  it("agree with the URL parser about the canonical spelling", () => {
    fc.assert(
      fc.property(ipv6Bytes, (bytes) => {
        const text = ipv6FromBytes(bytes);
        // WHATWG prints mapped addresses without the dotted tail, the one difference to RFC 5952.
        fc.pre(!text.includes("."));
        assert.equal(new URL(`http://[${text}]/`).hostname, `[${text}]`);
      }),
    );
  });

  it("keep every IPv4 address through print and parse", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (bytes) => {
        assert.deepEqual(addressBytes(ipv4FromBytes(bytes)), Uint8Array.from(bytes));
      }),
    );
  });

  it("read bytes at an offset", () => {
    assert.equal(ipv4FromBytes(Uint8Array.of(9, 192, 0, 2, 7, 9), 1), "192.0.2.7");
    const padded = new Uint8Array(18);
    padded[17] = 1;
    assert.equal(ipv6FromBytes(padded, 2), "::1");
  });

  it("are loopback in any spelling, and only there", () => {
    for (const text of [
      "127.0.0.1",
      "127.255.0.9",
      "::1",
      "0:0:0:0:0:0:0:1",
      "::ffff:127.0.0.1",
      "::FFFF:7F00:1",
    ]) {
      assert.equal(isLoopbackAddress(text), true, text);
    }
    for (const text of [
      "0.0.0.0",
      "::",
      "128.0.0.1",
      "126.255.255.255",
      "::ffff:10.0.0.1",
      "::127.0.0.1",
      "localhost",
      "1::127.0.0.1",
    ]) {
      assert.equal(isLoopbackAddress(text), false, text);
    }
  });
});
