import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  decodeBag,
  encodeBag,
  methodReplyTopic,
  parseTopic,
  reportTopic,
  telemetryTopic,
  twinGetTopic,
} from "../../src/transport/hub-topics.ts";
import { outgoing } from "../contract/transport-bench.ts";

const wellFormed = fc.string({ unit: "binary" }).filter((text) => !/[\ud800-\udfff]/u.test(text));
const printable = fc.string({ unit: fc.constantFrom(..." !#$%&'()*+,/:;=?@[]~aZ09") });

describe("hub topics", () => {
  it("decode every property bag to what was encoded", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(wellFormed, wellFormed)), (entries) => {
        const bag = encodeBag(entries);
        const expected = bag === "" ? [] : entries;
        const decoded = decodeBag(bag);
        assert.deepEqual(decoded.ok ? decoded.value : undefined, expected);
      }),
    );
  });

  it("keep wildcards and separators out of the topic, whatever the properties", () => {
    fc.assert(
      fc.property(printable, printable, (name, value) => {
        const message = outgoing({ properties: { [`n${name}`]: value } });
        const topic = telemetryTopic({ deviceId: "d" }, message, { markAsSecurity: false });
        assert.ok(topic.ok);
        assert.match(topic.value, /^devices\/d\/messages\/events\/[^#+/]*$/);
      }),
    );
  });

  it("spell a module's message as the hub documents it", () => {
    const message = outgoing({ messageId: "m-1", properties: { schema: "1.0", kind: "security" } });
    const device = { deviceId: "gw1", moduleId: "azureiotsecurity" };
    const topic = telemetryTopic(device, message, { markAsSecurity: true });
    assert.equal(
      topic.ok && topic.value,
      "devices/gw1/modules/azureiotsecurity/messages/events/kind=security&schema=1.0" +
        "&%24.mid=m-1&%24.ct=application%2Fjson&%24.ce=utf-8" +
        "&%24.ifid=urn%3Aazureiot%3ASecurity%3ASecurityAgent%3A1",
    );
  });

  it("refuse properties beyond printable ASCII, and topics too long for MQTT", () => {
    for (const value of ["ü", "a\nb", "\u0000", "\ud800"]) {
      const message = outgoing({ properties: { p: value } });
      const topic = telemetryTopic({ deviceId: "d" }, message, { markAsSecurity: false });
      assert.equal(topic.ok ? "" : topic.problem.code, "malformed");
    }
    const message = outgoing({ properties: { p: "x".repeat(70_000) } });
    const topic = telemetryTopic({ deviceId: "d" }, message, { markAsSecurity: false });
    assert.equal(topic.ok ? "" : topic.problem.code, "too-large");
  });

  it("are read with status, request id and version", () => {
    assert.deepEqual(parseTopic("$iothub/twin/res/204/?$rid=a-1&$version=7"), {
      kind: "twin-response",
      status: 204,
      requestId: "a-1",
      version: 7,
    });
    assert.deepEqual(parseTopic("$iothub/twin/PATCH/properties/desired/?$version=3"), {
      kind: "desired",
      version: 3,
    });
    assert.deepEqual(parseTopic("$iothub/methods/POST/collect%20now/?$rid=9"), {
      kind: "method",
      name: "collect now",
      requestId: "9",
    });
    const requests = [twinGetTopic("r"), reportTopic("r"), methodReplyTopic(200, "a&b")];
    assert.deepEqual(requests, [
      "$iothub/twin/GET/?$rid=r",
      "$iothub/twin/PATCH/properties/reported/?$rid=r",
      "$iothub/methods/res/200/?$rid=a%26b",
    ]);
  });

  it("are survived when they are nonsense", () => {
    fc.assert(
      fc.property(fc.string(), (rest) => {
        for (const start of ["", "$iothub/twin/res/", "$iothub/methods/POST/", "$iothub/"]) {
          assert.equal(typeof parseTopic(start + rest).kind, "string");
        }
      }),
    );
    for (const topic of ["$iothub/twin/res/x/?$rid=1", "$iothub/twin/res/200/", "a?%zz"]) {
      assert.equal(parseTopic(topic).kind, "other");
    }
  });
});
