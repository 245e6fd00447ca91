/** The promises of a hub transport, asked of every implementation over every hub we can start. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, it, type TestContext } from "node:test";
import { systemClock } from "../../src/system/clock.ts";
import type { Timing } from "../../src/transport/transport-options.ts";
import {
  type Bench,
  FAST,
  HUB_KINDS,
  type HubKind,
  outgoing,
  Subject,
  until,
} from "./transport-bench.ts";
import { FAULT_CASES } from "./transport-fault-cases.ts";

export interface Case {
  readonly name: string;
  /** Why this bench cannot run the case; undefined when it can. */
  skip?(bench: Bench): string | undefined;
  run(bench: Bench, kind: HubKind): Promise<void>;
}

/** Runs `body` with a started transport and stops it in any case. */
export async function withSubject(
  bench: Bench,
  kind: HubKind,
  body: (subject: Subject) => Promise<void>,
  timing: Timing = FAST,
): Promise<void> {
  const subject = await Subject.start({ kind, ...bench.options, timing });
  try {
    await body(subject);
  } catch (error) {
    // What it said is the first thing that a reader of the failure needs.
    if (error instanceof Error) error.message += `\n${subject.story()}`;
    throw error;
  } finally {
    await subject.stop();
  }
}

const CASES: readonly Case[] = [
  {
    name: "a message arrives with its bytes and properties",
    run: (bench, kind) =>
      withSubject(bench, kind, async (subject) => {
        await subject.ready();
        const body = '{"text":"Grüße & =?/+% 汉字"}';
        const message = outgoing({
          body: new TextEncoder().encode(body),
          properties: { kind: "security", odd: "a b&c=d/e+f%g#h?$" },
        });
        assert.equal((await subject.send(message)).status, "acknowledged");
        await until("the message is there", () => bench.telemetry().length > 0);
        assert.deepEqual(bench.telemetry(), [
          {
            body,
            properties: {
              kind: "security",
              odd: "a b&c=d/e+f%g#h?$",
              "$.mid": message.messageId,
              "$.ct": "application/json",
              "$.ce": "utf-8",
            },
          },
        ]);
      }),
  },
  {
    name: "a message is marked for the retired service only on request",
    run: async (bench, kind) => {
      const options = { ...bench.options, markAsSecurity: true };
      const subject = await Subject.start({ kind, ...options });
      try {
        await subject.ready();
        await subject.send();
        await subject.send({ kind: "extension" });
        await until("both are there", () => bench.telemetry().length === 2);
        const marks = bench.telemetry().map((message) => message.properties["$.ifid"]);
        assert.deepEqual(marks, ["urn:azureiot:Security:SecurityAgent:1", undefined]);
      } finally {
        await subject.stop();
      }
    },
  },
  {
    name: "many messages at once are each acknowledged and arrive once",
    run: (bench, kind) =>
      withSubject(bench, kind, async (subject) => {
        await subject.ready();
        const messages = Array.from({ length: 20 }, () => outgoing());
        const outcomes = await Promise.all(messages.map((message) => subject.send(message)));
        assert.ok(outcomes.every((outcome) => outcome.status === "acknowledged"));
        await until("all are there", () => bench.telemetry().length >= 20);
        const ids = bench.telemetry().map((message) => message.properties["$.mid"]);
        assert.deepEqual(ids.sort(), messages.map((message) => message.messageId).sort());
      }),
  },
  {
    name: "what a hub would never take is refused, not retried",
    run: (bench, kind) =>
      withSubject(bench, kind, async (subject) => {
        await subject.ready();
        const tooLarge = await subject.send({ meteredBytes: 262_145 });
        const notAscii = await subject.send({ properties: { name: "ü" } });
        assert.equal(tooLarge.status, "refused");
        assert.equal(notAscii.status, "refused");
        assert.equal(bench.telemetry().length, 0);
      }),
  },
  {
    name: "the twin comes whole first, then patch by patch",
    run: (bench, kind) => {
      bench.patchDesired({ level: 1 });
      return withSubject(bench, kind, async (subject) => {
        await subject.ready();
        assert.equal(subject.updates[0]?.kind, "full");
        assert.equal(subject.updates[0]?.desired["level"], 1);
        assert.ok(subject.updates[0]?.reported !== undefined, "a full read carries reported");
        bench.patchDesired({ level: 2, other: { nested: [1, 2] } });
        bench.patchDesired({ level: null });
        await subject.agrees(bench);
        assert.deepEqual(
          subject.updates.map((update) => update.kind),
          ["full", "patch", "patch"],
        );
      });
    },
  },
  {
    name: "a reported patch is confirmed and is at the hub",
    run: (bench, kind) =>
      withSubject(bench, kind, async (subject) => {
        await subject.ready();
        const confirmed = await subject.report({ agent: { state: "ok" } });
        assert.equal(confirmed.status, "confirmed");
        assert.deepEqual(bench.reported()["agent"], { state: "ok" });
        bench.answerReports({ status: 200 }, 1);
        assert.equal((await subject.report({ agent: null })).status, "confirmed");
      }),
  },
  {
    name: "every status of a reported patch is told apart, with a body and without",
    run: (bench, kind) =>
      withSubject(bench, kind, async (subject) => {
        await subject.ready();
        const seen: string[] = [];
        for (const status of [400, 429, 500, 503]) {
          for (const body of [undefined, '{"errorCode":400004,"message":"x"}', "not json"]) {
            bench.answerReports({ status, ...(body === undefined ? {} : { body }) }, 1);
            seen.push(`${status} ${(await subject.report({ a: 1 })).status}`);
          }
        }
        const expected = ["400 refused", "429 retry", "500 retry", "503 retry"];
        assert.deepEqual(
          seen,
          expected.flatMap((line) => [line, line, line]),
        );
      }),
  },
  {
    name: "a direct method is answered, with the handler's status",
    run: (bench, kind) =>
      withSubject(bench, kind, async (subject) => {
        await subject.ready();
        const reply = await bench.invoke("collectNow", { of: ["listening-ports"] });
        assert.deepEqual(reply, { status: 200, payload: { echo: { of: ["listening-ports"] } } });
        subject.onMethod = () => Promise.resolve({ status: 404, payload: { error: "unknown" } });
        assert.equal((await bench.invoke("other", null)).status, 404);
        subject.onMethod = () => Promise.reject(new Error("handler broke"));
        assert.equal((await bench.invoke("collectNow", null)).status, 500);
        assert.deepEqual(subject.calls[1], { name: "other", payload: null });
      }),
  },
  {
    name: "a method with a payload that is not sound JSON is answered 400",
    skip: (bench) =>
      bench.invokeRaw === undefined ? "this hub sends only well-formed payloads" : undefined,
    run: (bench, kind) =>
      withSubject(bench, kind, async (subject) => {
        await subject.ready();
        const deep = `${"[".repeat(100)}${"]".repeat(100)}`;
        for (const payload of ["{broken", deep, '{"__proto__":1}']) {
          assert.equal((await bench.invokeRaw?.("collectNow", payload))?.status, 400, payload);
        }
        assert.equal(subject.calls.length, 0);
      }),
  },
  {
    name: "stopping disconnects and is safe to do twice",
    run: async (bench, kind) => {
      const subject = await Subject.start({ kind, ...bench.options });
      await subject.ready();
      await subject.stop();
      await subject.stop();
      assert.equal(subject.statuses.at(-1)?.state, "stopped");
      assert.equal((await subject.send()).status, "retry");
      const { accepted } = bench.relay;
      await systemClock.sleep(150);
      assert.equal(bench.relay.accepted, accepted, "it must not connect again");
    },
  },
  {
    name: "neither the key nor a token is ever in a log line or a status",
    run: (bench, kind) =>
      withSubject(bench, kind, async (subject) => {
        await subject.ready();
        bench.relay.cut();
        await until("reconnected", () => subject.connections > 1);
        const said = JSON.stringify([subject.statuses, subject.log.lines, subject.anomalies]);
        assert.ok(subject.statuses.length > 3);
        assert.ok(!said.includes(bench.secret), "the key was said");
        assert.doesNotMatch(said, /SharedAccess|sig=/);
      }),
  },
  {
    name: "a given token that is past its end is told as such, without a connection",
    run: async (bench, kind) => {
      const { identity } = bench.options;
      assert.equal(identity.source, "connection-string");
      const file = `${identity.connectionStringFile}-expired`;
      const token = "SharedAccessSignature sr=hub&sig=c2VjcmV0&se=1000000000";
      const to = `GatewayHostName=localhost:${bench.relay.port}`;
      writeFileSync(
        file,
        `HostName=h.example;DeviceId=gw1;ModuleId=m;SharedAccessSignature=${token};${to}`,
      );
      const options = { ...bench.options, identity: { ...identity, connectionStringFile: file } };
      const subject = await Subject.start({ kind, ...options });
      try {
        await until("told", () => subject.faults().includes("token-expired"));
        assert.equal(bench.relay.accepted, 0);
        assert.doesNotMatch(JSON.stringify(subject.statuses), /c2VjcmV0/);
      } finally {
        await subject.stop();
      }
    },
  },
];

/** Registers every case for every hub transport. `makeBench` starts a fresh hub for one case. */
export function transportSuite(
  hubName: string,
  missing: string | undefined,
  makeBench: () => Promise<Bench>,
): void {
  for (const kind of HUB_KINDS) {
    describe(`${kind} over ${hubName}`, { concurrency: 6, skip: missing ?? false }, () => {
      for (const one of [...CASES, ...FAULT_CASES]) {
        it(one.name, { timeout: 60_000 }, async (context: TestContext) => {
          const bench = await makeBench();
          try {
            const reason = one.skip?.(bench);
            if (reason === undefined) await one.run(bench, kind);
            else context.skip(reason);
          } finally {
            await bench.stop();
          }
        });
      }
    });
  }
}
