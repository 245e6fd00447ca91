/** With production timing: each fault in turn, a twin change meanwhile, in force within 30 s of its end. */
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { HubFaults } from "../../src/localhub/hub-contract.ts";
import { agentRig } from "../end-to-end/agent-rig.ts";
import { until } from "../support/bundle.ts";

const LIMIT_MS = 30_000;

interface Fault {
  readonly name: string;
  readonly begin: (faults: HubFaults) => void | Promise<void>;
  readonly lastsMs: number;
  readonly end: (faults: HubFaults) => void | Promise<void>;
}

const nothing = (): void => undefined;

const FAULTS: readonly Fault[] = [
  { name: "dropped connections", begin: (f) => f.dropConnections(), lastsMs: 0, end: nothing },
  {
    name: "a lost session",
    begin: (f) => {
      f.loseSessions();
      f.dropConnections();
    },
    lastsMs: 0,
    end: nothing,
  },
  { name: "a hub that is down", begin: (f) => f.goDown(), lastsMs: 20_000, end: (f) => f.resume() },
  {
    name: "refused authentication",
    begin: (f) => {
      f.rejectAuthentication(true);
      f.dropConnections();
    },
    lastsMs: 15_000,
    end: (f) => f.rejectAuthentication(false),
  },
  { name: "expired tokens", begin: (f) => f.expireTokens(), lastsMs: 0, end: nothing },
  {
    name: "a withheld PUBACK",
    begin: (f) => f.withholdPuback(true),
    lastsMs: 3_000,
    end: (f) => f.withholdPuback(false),
  },
  {
    name: "a slow SUBACK",
    begin: (f) => {
      f.delaySuback(1_500);
      f.dropConnections();
    },
    lastsMs: 3_000,
    end: (f) => f.delaySuback(0),
  },
  {
    name: "throttled and failing twin reads",
    begin: (f) => {
      f.answerTwinGets({ status: 429 }, 1);
      f.answerTwinGets({ status: 500, body: { errorCode: 500000 } }, 1);
      f.dropConnections();
    },
    lastsMs: 0,
    end: nothing,
  },
  {
    name: "an unanswered twin read",
    begin: (f) => {
      f.ignoreTwinGets(1);
      f.dropConnections();
    },
    lastsMs: 0,
    end: nothing,
  },
  {
    name: "throttled reports",
    begin: (f) => f.answerReports({ status: 429 }, 2),
    lastsMs: 0,
    end: nothing,
  },
  { name: "throttled messages", begin: (f) => f.throttle(2), lastsMs: 2_000, end: nothing },
  {
    name: "an expired certificate",
    begin: async (f) => {
      await f.presentCertificate("expired");
      f.dropConnections();
    },
    lastsMs: 8_000,
    end: (f) => f.presentCertificate(undefined),
  },
];

for (const transport of ["iothub", "iothub-sdk"] as const) {
  describe(`recovery over ${transport}`, async () => {
    const rig = await agentRig(transport, {
      highPriorityMessageFrequency: "PT1S",
      lowPriorityMessageFrequency: "PT1S",
      snapshotFrequency: "PT2S",
    });
    after(() => rig.close());
    let agent = rig.start();
    await until(() => rig.reported("snapshotFrequency") !== undefined, "a first report", LIMIT_MS);

    // An agent that loses three young connections in a row takes it for a fight over its identity and waits
    // longer, which is right, and no question of this suite: each fault meets an agent that is new.
    async function restart(): Promise<void> {
      agent.child.kill("SIGTERM");
      await agent.exit;
      const seen = rig.messages.length;
      agent = rig.start();
      await until(() => rig.messages.length > seen, "a message of a new agent", LIMIT_MS);
    }

    for (const [index, fault] of FAULTS.entries()) {
      it(`from ${fault.name}`, { timeout: 180_000 }, async (test) => {
        const { faults } = rig.hub;
        if (index > 0) await restart();
        await fault.begin(faults);
        const value = `PT${index + 2}M`;
        rig.desire({ aggregationIntervalProcessCreate: value });
        await sleep(fault.lastsMs);
        await fault.end(faults);
        const endedMs = performance.now();
        await until(
          () => rig.reported("aggregationIntervalProcessCreate") === value,
          `the twin in force after ${fault.name}`,
          LIMIT_MS,
        );
        test.diagnostic(`${Math.round(performance.now() - endedMs)} ms`);
        const seen = rig.messages.length;
        await until(() => rig.messages.length > seen, "a message after the fault", 100_000);
        assert.equal(agent.child.exitCode, null);
      });
    }
  });
}
