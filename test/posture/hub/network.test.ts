import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { judged, judgedText } from "./judged.ts";
import { exportedDevice, type Fields, hubResource } from "./records.ts";

const TLS = "IoT_VulnerableTLSCipherSuite";
const DEFAULT = "IoT_IPFilter_DenyAll";
const RANGE = "IoT_IPFilter_PermissiveRule";

function hub(properties: Fields): ReturnType<typeof judged> {
  return judged([hubResource(properties)]);
}

function rule(filterName: string, action: string, ipMask: string): Fields {
  return { filterName, action, ipMask };
}

describe("the version of TLS", () => {
  it("is healthy from 1.2 on", () => {
    for (const minTlsVersion of ["1.2", "1.3", 1.2, "TLS1_2"]) {
      assert.equal(hub({ minTlsVersion }).state(TLS), "healthy", String(minTlsVersion));
    }
  });

  it("is unhealthy where it is absent or below", () => {
    for (const minTlsVersion of [undefined, null, "", "1.0", "1.1", 1]) {
      const { state, evidence } = hub({
        minTlsVersion: minTlsVersion === 1 ? "1.0" : minTlsVersion,
      }).verdict(TLS);
      assert.equal(state, "unhealthy", String(minTlsVersion));
      assert.equal(evidence[0]?.["hub"], "plant-hub");
    }
  });

  it("is unknown without the resource of the hub, or where it is no version", () => {
    assert.match(judged([exportedDevice("gw-1")]).verdict(TLS).missing[0] ?? "", /az iot hub show/);
    assert.equal(hub({ minTlsVersion: "newest" }).state(TLS), "unknown");
  });
});

describe("the default of the IP filter", () => {
  const all = "0.0.0.0/0";
  const HEALTHY: Readonly<Record<string, Fields>> = {
    "no public access": { publicNetworkAccess: "Disabled", ipFilterRules: [] },
    "network rules that deny": {
      networkRuleSets: { defaultAction: "Deny", applyToBuiltInEventHubEndpoint: true, ipRules: [] },
      ipFilterRules: [],
    },
    "a last rule that rejects": {
      ipFilterRules: [rule("p", "Accept", "10.0.0.0/8"), rule("x", "Reject", all)],
    },
    "rules that leave no address": {
      ipFilterRules: [rule("a", "Reject", "128.0.0.0/1"), rule("b", "reject", "0.0.0.0/1")],
    },
    "a rejection before an acceptance": {
      ipFilterRules: [rule("x", "Reject", all), rule("y", "Accept", all)],
    },
    "network rules absent as null": { networkRuleSets: null },
  };
  for (const [what, properties] of Object.entries(HEALTHY)) {
    it(`is healthy with ${what}`, () => assert.equal(hub(properties).state(DEFAULT), "healthy"));
  }

  const UNHEALTHY: Readonly<Record<string, Fields>> = {
    "no rule": { ipFilterRules: [] },
    "no list of rules": { ipFilterRules: undefined },
    "no rule for the rest": { ipFilterRules: [rule("p", "Reject", "192.0.2.0/24")] },
    "rules that leave one address": {
      ipFilterRules: [rule("a", "Reject", "128.0.0.0/1"), rule("b", "Reject", "0.0.0.0/2")],
    },
    "a rule that accepts all": {
      ipFilterRules: [rule("y", "Accept", all), rule("x", "Reject", all)],
    },
    "network rules that allow": { networkRuleSets: { defaultAction: "Allow", ipRules: [] } },
  };
  for (const [what, properties] of Object.entries(UNHEALTHY)) {
    it(`is unhealthy with ${what}`, () => {
      const { state, count } = hub(properties).verdict(DEFAULT);
      assert.equal(state, "unhealthy");
      assert.equal(count, 1);
    });
  }

  it("is unknown without the resource, and where a rule or the action cannot be read", () => {
    assert.equal(judged([exportedDevice("gw-1")]).state(DEFAULT), "unknown");
    assert.equal(hub({ networkRuleSets: { ipRules: [] } }).state(DEFAULT), "unknown");
    assert.equal(
      hub({ ipFilterRules: [rule("x", "Reject", "anything")] }).state(DEFAULT),
      "unknown",
    );
  });
});

describe("the ranges of the IP filter", () => {
  it("are healthy up to a /16, also without rules and whatever is rejected", () => {
    for (const ipFilterRules of [
      [],
      [rule("a", "Accept", "10.20.0.0/16"), rule("x", "Reject", "0.0.0.0/0")],
      [rule("one", "Accept", "192.0.2.7")],
    ]) {
      assert.equal(hub({ ipFilterRules }).state(RANGE), "healthy");
    }
    const networkRuleSets = {
      defaultAction: "Deny",
      ipRules: [rule("a", "Allow", "10.20.0.0/16")],
    };
    assert.equal(hub({ networkRuleSets }).state(RANGE), "healthy");
    const wide = [rule("wide", "Accept", "10.0.0.0/8")];
    assert.equal(
      hub({ publicNetworkAccess: "Disabled", ipFilterRules: wide }).state(RANGE),
      "healthy",
    );
  });

  it("are unhealthy above, with the name, the range and the number of its addresses", () => {
    const { verdict } = hub({
      ipFilterRules: [rule("site", "Accept", "10.20.0.0/15"), rule("x", "Reject", "0.0.0.0/0")],
    });
    assert.deepEqual(verdict(RANGE).evidence, [
      { hub: "plant-hub", filterName: "site", ipMask: "10.20.0.0/15", addresses: "131072" },
    ]);
    const networkRuleSets = {
      defaultAction: "Deny",
      ipRules: [rule("six", "Allow", "2001:db8::/32")],
    };
    assert.equal(hub({ networkRuleSets }).state(RANGE), "unhealthy");
  });

  it("are unknown without the resource, or where a rule cannot be read and no other is wide", () => {
    assert.equal(judged([exportedDevice("gw-1")]).state(RANGE), "unknown");
    const broken = rule("odd", "Accept", "10.0.0.0/99");
    assert.equal(hub({ ipFilterRules: [broken] }).state(RANGE), "unknown");
    assert.equal(
      hub({ ipFilterRules: [broken, rule("w", "Accept", "10.0.0.0/8")] }).state(RANGE),
      "unhealthy",
    );
  });
});

describe("resources of hubs", () => {
  it("are read alone, in a list and in an answer", () => {
    const resource = hubResource();
    for (const form of [
      resource,
      [resource],
      { value: [resource] },
      { nextLink: null, value: [resource] },
    ]) {
      assert.equal(judgedText(JSON.stringify(form, null, 2)).state(TLS), "healthy");
    }
  });

  it("that are malformed are counted, skipped and named, and so are their rules", () => {
    const odd = rule("odd", "Maybe", "10.0.0.0/8");
    const { skipped, facts } = judged([
      hubResource({ ipFilterRules: [odd, { filterName: "p" }, 7] }),
      { ...hubResource(), properties: "none" },
    ]);
    assert.equal(facts.hubs.length, 1);
    assert.equal(skipped.count, 4);
    assert.match(skipped.records[0]?.subject ?? "", /plant-hub, ipFilterRules, rule odd/);
  });
});
