import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { TransportStatus } from "../../src/contract/transport.ts";
import { type ConnectionEnd, ConnectionLoop } from "../../src/transport/connection-loop.ts";
import { FaultError, fault } from "../../src/transport/fault.ts";
import { DEFAULT_TIMING } from "../../src/transport/transport-options.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { RecordingLog } from "../support/recording-log.ts";

const LOST = {
  kind: "lost",
  reason: fault("unreachable", "connection lost", "retried"),
  isClosedByPeer: true,
  wasSending: false,
} as const;

function setUp(outcomes: (ConnectionEnd | FaultError | "stays")[], livedMs = 100) {
  const clock = new FakeClock();
  const statuses: TransportStatus[] = [];
  const ends: ((end: ConnectionEnd) => void)[] = [];
  const loop = new ConnectionLoop({
    clock,
    random: { fraction: () => 0.5, uuid: () => "u" },
    log: new RecordingLog(),
    timing: DEFAULT_TIMING,
    connect: async () => {
      const outcome = outcomes.shift() ?? "stays";
      if (outcome instanceof FaultError) throw outcome;
      const ended = new Promise<ConnectionEnd>((resolve) => {
        ends.push(resolve);
        if (outcome !== "stays") clock.after(livedMs, () => resolve(outcome));
      });
      const close = async (): Promise<void> => ends.at(-1)?.(LOST);
      return { sessionPresent: false, ended, close };
    },
    onStatus: (status) => statuses.push(status),
    onConnected: () => undefined,
    onLost: () => undefined,
  });
  const waits = (): readonly (readonly [string, number])[] =>
    statuses.flatMap((status) =>
      status.state === "disconnected" ? [[status.fault, status.retryInMs] as const] : [],
    );
  return { clock, loop, statuses, waits };
}

const refused = (kind: "unreachable" | "credentials") => new FaultError(fault(kind, "d", "r"));

describe("the connection loop", () => {
  it("waits longer after each failure in a row, never past the cap, and not at once after refused credentials", async () => {
    const failures = Array.from({ length: 4 }, () => refused("unreachable"));
    const { clock, loop, waits } = setUp([...failures, refused("credentials"), "stays"]);
    loop.start();
    await clock.advance(600_000);
    assert.deepEqual(waits(), [
      ["unreachable", 2_500],
      ["unreachable", 4_500],
      ["unreachable", 8_000],
      ["unreachable", 8_000],
      ["credentials", 10_000],
    ]);
    await loop.stop(0);
  });

  it("begins with short waits again after a connection that was stable", async () => {
    const { clock, loop, waits } = setUp(
      [refused("unreachable"), refused("unreachable"), LOST, "stays"],
      DEFAULT_TIMING.stableAfterMs,
    );
    loop.start();
    await clock.advance(200_000);
    assert.deepEqual(
      waits().map(([, waitMs]) => waitMs),
      [2_500, 4_500, 2_500],
    );
    await loop.stop(0);
  });

  it("names an eviction after three short connections that the hub closed", async () => {
    const { clock, loop, waits } = setUp([LOST, LOST, LOST, "stays"]);
    loop.start();
    await clock.advance(300_000);
    assert.deepEqual(
      waits().map(([kind]) => kind),
      ["unreachable", "unreachable", "evicted"],
    );
    assert.ok((waits()[2]?.[1] ?? 0) >= 30_000, "an eviction must slow down");
    await loop.stop(0);
  });

  it("names throttling when the hub closes while messages wait, and nothing for a broken network", async () => {
    const sending = { ...LOST, wasSending: true };
    const broken = { ...LOST, isClosedByPeer: false };
    const { clock, loop, waits } = setUp([sending, sending, sending, broken, broken, broken]);
    loop.start();
    await clock.advance(900_000);
    assert.deepEqual(
      waits().map(([kind]) => kind),
      ["unreachable", "unreachable", "throttled", "unreachable", "unreachable", "unreachable"],
    );
    await loop.stop(0);
  });

  it("renews without a wait and without a disconnection", async () => {
    const { clock, loop, statuses } = setUp([{ kind: "renewal" }, "stays"]);
    loop.start();
    await clock.advance(100);
    assert.deepEqual(
      statuses.map((status) => status.state),
      ["connecting", "connected", "connecting", "connected"],
    );
    await loop.stop(0);
  });

  it("stops in the middle of a wait, and leaves no timer", async () => {
    const { clock, loop, statuses } = setUp([refused("unreachable")]);
    loop.start();
    await settle();
    await loop.stop(1_000);
    await loop.stop(1_000);
    assert.deepEqual(
      statuses.map((status) => status.state),
      ["connecting", "disconnected", "stopped"],
    );
    assert.equal(clock.armed, 0);
  });
});
