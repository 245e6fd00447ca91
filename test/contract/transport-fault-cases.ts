/** What a hub transport must survive. After each fault the twin in force must equal desired again. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { systemClock } from "../../src/system/clock.ts";
import { type Bench, FAST, IMPATIENT, outgoing, Subject, until } from "./transport-bench.ts";
import { type Case, withSubject } from "./transport-suite.ts";

const needs = (what: keyof Bench, why: string) => ({
  skip: (bench: Bench): string | undefined => (bench[what] === undefined ? why : undefined),
});

const ids = (bench: Bench): readonly (string | undefined)[] =>
  bench.telemetry().map((message) => message.properties["$.mid"]);

export const FAULT_CASES: readonly Case[] = [
  {
    name: "patches made while it was disconnected are caught up",
    run: (bench, kind) =>
      withSubject(bench, kind, async (subject) => {
        await subject.ready();
        await bench.relay.shut();
        await until("noticed", () => !subject.isConnected);
        bench.patchDesired({ missed: 1 });
        bench.patchDesired({ missed: 2, more: true });
        await bench.relay.open();
        await subject.agrees(bench);
        bench.patchDesired({ after: true });
        await subject.agrees(bench);
      }),
  },
  {
    name: "a dropped connection comes back, with twin and methods",
    run: (bench, kind) =>
      withSubject(bench, kind, async (subject) => {
        await subject.ready();
        for (const round of [1, 2]) {
          bench.relay.cut();
          await until("back", () => subject.connections > round && subject.isConnected);
          bench.patchDesired({ round });
          await subject.agrees(bench);
        }
        assert.equal((await bench.invoke("collectNow", null)).status, 200);
        assert.equal(await subject.sendUntilTaken(), "acknowledged");
      }),
  },
  {
    name: "a hub that forgot the session is subscribed again and the twin is read again",
    run: (bench, kind) =>
      withSubject(bench, kind, async (subject) => {
        await subject.ready();
        bench.patchDesired({ before: 1 });
        await subject.agrees(bench);
        await bench.loseSessions();
        await until("back", () => subject.connections > 1 && subject.isConnected);
        bench.patchDesired({ after: 2 });
        await subject.agrees(bench);
        assert.equal((await bench.invoke("collectNow", null)).status, 200);
        assert.equal(await subject.sendUntilTaken(), "acknowledged");
      }),
  },
  {
    name: "a hub that is down at start is tried with backoff until it is up",
    run: async (bench, kind) => {
      await bench.relay.shut();
      await withSubject(bench, kind, async (subject) => {
        await until("three attempts", () => subject.faults().length >= 3);
        assert.equal(subject.lastDisconnection()?.fault, "unreachable");
        assert.match(subject.lastDisconnection()?.detail ?? "", /ECONNREFUSED/);
        await bench.relay.open();
        await subject.agrees(bench);
      });
    },
  },
  {
    name: "a message without acknowledgement is reported for retry and is not resent by itself",
    run: (bench, kind) =>
      withSubject(bench, kind, async (subject) => {
        await subject.ready();
        const message = outgoing();
        const sending = subject.send(message);
        bench.relay.stall(true);
        bench.relay.cut();
        bench.relay.stall(false);
        const outcome = await sending;
        if (outcome.status === "acknowledged") return; // It was faster than the cut.
        assert.equal(outcome.status, "retry");
        const before = ids(bench).filter((id) => id === message.messageId).length;
        assert.equal(await subject.sendUntilTaken(message), "acknowledged");
        await subject.agrees(bench);
        await until("it is there", () => ids(bench).includes(message.messageId));
        const after = ids(bench).filter((id) => id === message.messageId).length;
        assert.ok(after - before <= 1, "only the sender's own attempt may be added");
      }),
  },
  {
    name: "silence instead of an acknowledgement ends the connection; nothing is lost",
    run: (bench, kind) =>
      withSubject(
        bench,
        kind,
        async (subject) => {
          await subject.ready();
          const message = outgoing();
          bench.relay.stall(true);
          const outcome = await subject.send(message);
          assert.equal(outcome.status, "retry");
          await until("dropped", () => subject.faults().length > 0);
          bench.relay.stall(false);
          assert.equal(await subject.sendUntilTaken(message), "acknowledged");
          await until("it is there", () => ids(bench).includes(message.messageId));
          await subject.agrees(bench);
        },
        IMPATIENT,
      ),
  },
  {
    name: "a withheld acknowledgement loses nothing",
    ...needs("withholdPuback", "a real broker cannot be told to withhold PUBACK"),
    run: (bench, kind) =>
      withSubject(
        bench,
        kind,
        async (subject) => {
          await subject.ready();
          const message = outgoing();
          bench.withholdPuback?.(true);
          assert.equal((await subject.send(message)).status, "retry");
          bench.withholdPuback?.(false);
          assert.equal(await subject.sendUntilTaken(message), "acknowledged");
          await subject.agrees(bench);
        },
        IMPATIENT,
      ),
  },
  {
    name: "a slow subscription is waited for",
    ...needs("delaySuback", "a real broker cannot be told to be slow"),
    run: async (bench, kind) => {
      bench.delaySuback?.(300);
      await withSubject(bench, kind, async (subject) => {
        bench.patchDesired({ early: true });
        await subject.agrees(bench);
        bench.delaySuback?.(0);
        bench.patchDesired({ late: true });
        await subject.agrees(bench);
      });
    },
  },
  {
    name: "a patch between subscription and read is neither lost nor applied twice",
    run: (bench, kind) => {
      bench.patchDesired({ first: 1 });
      bench.patchBeforeNextTwinGet({ raced: 1 });
      return withSubject(bench, kind, async (subject) => {
        await until("raced", () => bench.desired()["raced"] === 1);
        await subject.agrees(bench);
        const versions = subject.updates.map((update) => update.version);
        assert.deepEqual(versions, [...new Set(versions)], "a version came twice");
      });
    },
  },
  {
    name: "a patch that overtakes the answer to a read is applied after it",
    ...needs("patchDuringNextTwinGet", "this hub answers reads in order"),
    run: (bench, kind) => {
      bench.patchDesired({ first: 1 });
      bench.patchDuringNextTwinGet?.({ overtook: 1 });
      return withSubject(bench, kind, async (subject) => {
        await until("overtook", () => bench.desired()["overtook"] === 1);
        await subject.agrees(bench);
        assert.deepEqual(
          subject.updates.map((update) => update.kind),
          ["full", "patch"],
        );
      });
    },
  },
  {
    name: "a gap in the versions leads to another read",
    ...needs("patchSilently", "this hub always tells"),
    run: (bench, kind) =>
      withSubject(bench, kind, async (subject) => {
        await subject.ready();
        bench.patchSilently?.({ hidden: 1 });
        bench.patchDesired({ seen: 1 });
        await subject.agrees(bench);
        assert.deepEqual(
          subject.updates.map((update) => update.kind),
          ["full", "full"],
        );
      }),
  },
  {
    name: "refused and unanswered twin reads are repeated until one succeeds",
    run: (bench, kind) => {
      bench.patchDesired({ wanted: 1 });
      bench.answerTwinGets({ status: 429 }, 1);
      bench.answerTwinGets({ status: 500, body: '{"errorCode":500001}' }, 1);
      bench.answerTwinGets({ status: 200, body: "not json" }, 1);
      bench.answerTwinGets({ status: 200, body: "{}" }, 1);
      bench.answerTwinGets({ status: 200 }, 1);
      return withSubject(bench, kind, async (subject) => {
        await subject.agrees(bench);
        assert.equal(subject.inForce["wanted"], 1);
        assert.equal(subject.anomalies.length, 5, subject.anomalies.join("; "));
        assert.equal(subject.connections, 1, "the connection itself was good");
      });
    },
  },
  {
    name: "a hub that does not answer twin reads is left and tried again",
    run: (bench, kind) => {
      bench.patchDesired({ wanted: 1 });
      bench.ignoreTwinGets(3);
      return withSubject(
        bench,
        kind,
        async (subject) => {
          await until("dropped", () => subject.faults().includes("timed-out"));
          await subject.agrees(bench);
          assert.equal(subject.inForce["wanted"], 1);
        },
        IMPATIENT,
      );
    },
  },
  {
    name: "hostile desired patches are survived and read over",
    run: (bench, kind) =>
      withSubject(bench, kind, async (subject) => {
        await subject.ready();
        const deep = `{"a":${"[".repeat(200)}${"]".repeat(200)}}`;
        for (const text of ["{broken", "[]", "", '{"__proto__":{"polluted":1}}', deep]) {
          bench.pushRawDesired(text);
        }
        await until("all were noticed", () => subject.anomalies.length >= 5);
        bench.patchDesired({ sane: true });
        await subject.agrees(bench);
        assert.equal(Reflect.get({}, "polluted"), undefined);
      }),
  },
  {
    name: "two clients of one identity slow down and say why",
    run: (bench, kind) =>
      withSubject(bench, kind, (subject) =>
        withSubject(bench, "iothub", async (rival) => {
          const all = (): readonly string[] => [...subject.faults(), ...rival.faults()];
          await until("said", () => all().includes("evicted"));
          await rival.stop();
          await subject.agrees(bench);
          assert.ok(all().length < 60, `${all().length} take-overs is no slowing down`);
        }),
      ),
  },
  {
    name: "a wrong key is told as refused credentials, tried slowly, and mended by its file",
    ...needs("wrongKey", "a plain broker does not check SAS tokens"),
    run: async (bench, kind) => {
      const { identity } = bench.options;
      assert.equal(identity.source, "connection-string");
      const file = `${identity.connectionStringFile}-wrong`;
      const wrong = bench.wrongKey?.() ?? "";
      writeFileSync(file, wrong);
      const options = { ...bench.options, identity: { ...identity, connectionStringFile: file } };
      const subject = await Subject.start({ kind, ...options });
      try {
        await until("refused twice", () => subject.faults().length >= 2);
        const last = subject.lastDisconnection();
        assert.equal(last?.fault, "credentials");
        const slowMs = 5 * FAST.backoff.floorMs;
        assert.ok((last?.retryInMs ?? 0) >= slowMs, "refused credentials must be tried slowly");
        const { readFileSync } = await import("node:fs");
        writeFileSync(file, readFileSync(identity.connectionStringFile, "utf8"));
        await subject.agrees(bench);
      } finally {
        await subject.stop();
      }
    },
  },
  {
    name: "a refusal that ends is recovered from",
    ...needs("rejectAuthentication", "a plain broker does not refuse on demand"),
    run: async (bench, kind) => {
      bench.rejectAuthentication?.(true);
      await withSubject(bench, kind, async (subject) => {
        await until("refused", () => subject.faults().includes("credentials"));
        bench.rejectAuthentication?.(false);
        await subject.agrees(bench);
      });
    },
  },
  {
    name: "a clock that is far behind is named when the hub refuses its token",
    ...needs("wrongKey", "a plain broker does not check SAS tokens"),
    run: async (bench, kind) => {
      const behindMs = 86_400_000;
      const clock = { ...systemClock, nowMs: () => systemClock.nowMs() - behindMs };
      const deps = { clock, isClockSynchronised: () => false };
      const subject = await Subject.start({ kind, ...bench.options }, deps);
      try {
        await until("told", () => subject.faults().length > 0);
        assert.equal(subject.lastDisconnection()?.fault, "clock-skew");
        assert.match(subject.lastDisconnection()?.remedy ?? "", /clock/);
      } finally {
        await subject.stop();
      }
    },
  },
  {
    name: "a token that ended at the hub is replaced by a new one",
    ...needs("expireTokens", "a plain broker does not know about expiry"),
    run: (bench, kind) =>
      withSubject(bench, kind, async (subject) => {
        await subject.ready();
        bench.expireTokens?.();
        await until("back", () => subject.connections > 1);
        bench.patchDesired({ after: "expiry" });
        await subject.agrees(bench);
      }),
  },
  {
    name: "a token is renewed before its end by a clean reconnect, without a fault",
    run: async (bench, kind) => {
      // Hours of the token's life pass on this clock while the test waits a moment.
      const startMs = systemClock.nowMs();
      const clock = {
        ...systemClock,
        after: (delayMs: number, action: () => void) =>
          systemClock.after(delayMs > 600_000 ? 700 : delayMs, action),
        nowMs: () => startMs + (systemClock.nowMs() - startMs),
      };
      const subject = await Subject.start({ kind, ...bench.options }, { clock });
      try {
        await subject.ready();
        await until("renewed", () => subject.connections >= 2);
        assert.deepEqual(subject.faults(), []);
        assert.equal(await subject.sendUntilTaken(), "acknowledged");
        bench.patchDesired({ after: "renewal" });
        await subject.agrees(bench);
      } finally {
        await subject.stop();
      }
    },
  },
  {
    name: "a throttling hub is given time; the message is taken in the end, once acknowledged",
    ...needs("throttle", "a plain broker does not throttle by closing"),
    run: (bench, kind) =>
      withSubject(bench, kind, async (subject) => {
        await subject.ready();
        bench.throttle?.(4);
        assert.equal(await subject.sendUntilTaken(), "acknowledged");
        assert.ok(subject.faults().includes("throttled"), subject.faults().join(" "));
        await subject.agrees(bench);
      }),
  },
  {
    name: "a certificate that is for another host, untrusted or expired is refused, then recovered",
    ...needs("presentCertificate", "a broker reads its certificate at start: see its own cases"),
    run: async (bench, kind) => {
      for (const which of ["other-host", "untrusted", "expired"] as const) {
        await bench.presentCertificate?.(which);
        await withSubject(bench, kind, async (subject) => {
          await until("refused", () => subject.faults().length > 0);
          assert.deepEqual([...new Set(subject.faults())], ["tls"], which);
          await bench.presentCertificate?.(undefined);
          await subject.agrees(bench);
        });
      }
    },
  },
  {
    name: "the server name is sent in the TLS handshake and no rule of the hub is broken",
    ...needs("serverNames", "a broker does not tell the server name: see the dial tests"),
    run: (bench, kind) =>
      withSubject(bench, kind, async (subject) => {
        await subject.ready();
        await subject.send();
        assert.deepEqual([...new Set(bench.serverNames?.())], ["localhost"]);
        assert.deepEqual(bench.violations?.() ?? [], []);
      }),
  },
];
