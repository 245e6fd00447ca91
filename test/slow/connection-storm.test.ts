/** 5,000 connections, inbound and outbound, IPv4 and IPv6, as fast as two processes make them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runStorm, skipReason } from "../live/connection-storm.ts";
import { judgeStorm } from "../live/storm-verdict.ts";

const EACH_WAY = 2_500;

describe("a storm of connections", { skip: skipReason() }, () => {
  for (const isTracked of [true, false]) {
    const kernel = isTracked ? "with" : "without";
    it(`is reported connection by connection, ${kernel} connection tracking`, async (test) => {
      const storm = await runStorm({ count: EACH_WAY, isTracked });
      const { connections, ownersFound } = judgeStorm(storm);
      test.diagnostic(
        `${connections} connections, ${ownersFound} of ${EACH_WAY} outbound with their process`,
      );
      assert.equal(connections, 2 * EACH_WAY);
    });
  }
});
