/** The power goes ten times while events are made; what the spool had promised arrives all the same. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { buildPackage, type Gateway, openGateway } from "./gateway.ts";
import { type ImageName, whyNoMachines } from "./images.ts";
import { pause } from "./virtual-machine.ts";

const CUTS = 10;
const MARKS_PER_CUT = 3;
/** Set for the test, so that a cycle is short; the default is 30 s. */
const FLUSH_WINDOW_MS = 3_000;
/**
 * The method's reply is later than the write that it reports, but timers are late on a machine that is played:
 * this much where a start takes so long, and its share more where it takes longer.
 */
const MARGIN_MS = 1_500;
const USUAL_BOOT_MS = 12_000;
/** Nothing is sent while the power comes and goes: the spool alone keeps it. */
const WAITING = {
  // A scan at each start has nothing to do with what is tried here.
  eventPriorityOSBaseline: "Off",
  snapshotFrequency: "PT1H",
  highPriorityMessageFrequency: "PT1H",
  lowPriorityMessageFrequency: "PT1H",
};
const SENDING = {
  snapshotFrequency: "PT1H",
  highPriorityMessageFrequency: "PT1S",
  lowPriorityMessageFrequency: "PT1S",
};

interface Mark {
  readonly text: string;
  readonly storedAtMs: number;
}

/** Makes a rule that no other event has shown, and has it collected; returns when the agent says so. */
async function leaveMark(gateway: Gateway, text: string): Promise<Mark> {
  await gateway.machine.must(
    `iptables -F INPUT && iptables -A INPUT -p tcp --dport 1 -m comment --comment ${text} -j ACCEPT`,
  );
  await gateway.hub.invokeMethod("collect", ["firewall"], { timeoutMs: 30_000 });
  return { text, storedAtMs: Date.now() };
}

async function untilConnected(gateway: Gateway): Promise<void> {
  const endMs = Date.now() + 180_000;
  for (;;) {
    try {
      await gateway.hub.invokeMethod("status", null, { timeoutMs: 3_000 });
      return;
    } catch (error) {
      if (Date.now() > endMs) throw error;
      await pause(500);
    }
  }
}

export function powerCutSuite(image: ImageName): void {
  const skip = whyNoMachines();
  describe(`${CUTS} power cuts on ${image}`, { skip }, () => {
    let gateway: Gateway;
    let passed = 0;
    before(async () => {
      gateway = await openGateway(image);
      await gateway.install(buildPackage());
      await gateway.setUp();
      gateway.desire(WAITING);
      await gateway.machine.must(
        `node -e 'const f="/etc/gatewarden/config.json",fs=require("fs"),c=JSON.parse(fs.readFileSync(f));c.spool={...c.spool,flushDelaySeconds:${FLUSH_WINDOW_MS / 1_000}};fs.writeFileSync(f,JSON.stringify(c))' && sync && systemctl restart gatewarden`,
      );
      await untilConnected(gateway);
      await gateway.until("the settings", () =>
        JSON.stringify(gateway.hub.twin().reported).includes("PT1H"),
      );
    });
    after(async () => {
      if (skip !== false) return;
      if (passed < 2) await gateway.keepEvidence();
      await gateway.close();
    });

    it("lose nothing that was stored before the flush window, and repeat nothing under a new Id", async () => {
      const promised: string[] = [];
      let marks = 0;
      for (let cut = 0; cut < CUTS; cut += 1) {
        const left: Mark[] = [];
        for (let at = 0; at < MARKS_PER_CUT; at += 1) {
          left.push(await leaveMark(gateway, `mark-${cut}-${at}-end`));
          await pause(500 + Math.random() * 1_000);
        }
        // By chance, but late enough that the first mark has been promised.
        const marginMs = MARGIN_MS * Math.max(1, gateway.machine.bootMs / USUAL_BOOT_MS);
        const firstIsSafeAtMs = (left[0]?.storedAtMs ?? 0) + FLUSH_WINDOW_MS + marginMs + 100;
        await pause(Math.max(firstIsSafeAtMs - Date.now(), Math.random() * FLUSH_WINDOW_MS));
        const cutAtMs = Date.now();
        await gateway.machine.cutPower();
        const safe = left.filter(
          ({ storedAtMs }) => cutAtMs - storedAtMs > FLUSH_WINDOW_MS + marginMs,
        );
        promised.push(...safe.map(({ text }) => text));
        marks += left.length;
        await gateway.machine.boot();
        await untilConnected(gateway);
        gateway.say(`cut ${cut + 1}: ${safe.length} of ${left.length} stored before the window`);
      }
      assert.ok(promised.length >= CUTS, `only ${promised.length} of ${marks} marks can be judged`);
      gateway.desire(SENDING);
      await gateway.hub.invokeMethod("flush", null, { timeoutMs: 60_000 });
      await pause(8_000);
      const arrived = JSON.stringify(gateway.events("FirewallConfiguration"));
      const lost = promised.filter((text) => !arrived.includes(text));
      gateway.say(`${marks} marks, ${promised.length} promised, ${lost.length} lost`);
      assert.deepEqual(lost, []);
      assertNoSecondIds(gateway);
      passed += 1;
    });

    it("leave an agent that reports each of them", () => {
      const reports = gateway.items("Diagnostic", '"power"').length;
      assert.ok(reports >= CUTS, `${reports} reports of ${CUTS} cuts`);
      passed += 1;
    });
  });
}

/** The same Id means the same event, and the same event has the same Id. */
function assertNoSecondIds(gateway: Gateway): void {
  const byId = new Map<string, string>();
  const byContent = new Map<string, string>();
  for (const event of gateway.messages.flatMap(({ Events }) => Events)) {
    const { Id, ...content } = event;
    const text = JSON.stringify(content);
    assert.equal(byId.get(Id) ?? text, text, `two contents under ${Id}`);
    byId.set(Id, text);
    assert.equal(byContent.get(text) ?? Id, Id, `two Ids for ${text.slice(0, 200)}`);
    byContent.set(text, Id);
  }
}
