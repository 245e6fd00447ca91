import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { faultOfConnack, faultOfDialError } from "../../src/transport/fault.ts";

const context = { address: "hub:8883", isClockSynchronised: undefined };
const coded = (code: string): Error => Object.assign(new Error("failed"), { code });

describe("a failure to connect", () => {
  it("is told apart by what a person must do", () => {
    const kinds = [
      "ECONNREFUSED",
      "ENOTFOUND",
      "EAI_AGAIN",
      "ERR_TLS_CERT_ALTNAME_INVALID",
      "CERT_HAS_EXPIRED",
      "SELF_SIGNED_CERT_IN_CHAIN",
      "CERT_NOT_YET_VALID",
      "ERR_SSL_WRONG_VERSION_NUMBER",
      "EWHATEVER",
    ].map((code) => faultOfDialError(coded(code), context).fault);
    assert.deepEqual(kinds, [
      "unreachable",
      "unreachable",
      "unreachable",
      "tls",
      "tls",
      "tls",
      "clock-skew",
      "tls",
      "unreachable",
    ]);
  });

  it("looks into an error over several addresses", () => {
    const both = new AggregateError([coded("ECONNREFUSED"), coded("ENETUNREACH")]);
    assert.match(faultOfDialError(both, context).detail, /hub:8883: connection refused/);
  });

  it("blames the clock where an unsynchronised clock explains it", () => {
    const unsynchronised = { ...context, isClockSynchronised: false };
    const expired = coded("CERT_HAS_EXPIRED");
    assert.equal(faultOfDialError(expired, unsynchronised).fault, "clock-skew");
    assert.equal(faultOfConnack(5, unsynchronised).fault, "clock-skew");
    assert.equal(faultOfConnack(5, context).fault, "credentials");
  });

  it("knows the CONNACK codes of both protocol versions", () => {
    const kinds = [1, 2, 3, 4, 5, 0x87, 0x89, 0x84].map(
      (code) => faultOfConnack(code, context).fault,
    );
    assert.deepEqual(kinds, [
      "protocol",
      "protocol",
      "throttled",
      "credentials",
      "credentials",
      "credentials",
      "throttled",
      "protocol",
    ]);
  });
});
