/** Live events on a real system: what really happened, and nothing else, arrives at the hub. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { buildPackage, type Gateway, openGateway } from "./gateway.ts";
import { type ImageName, whyNoMachines } from "./images.ts";
import { pause } from "./virtual-machine.ts";

const UNIT = "gatewarden.service";
const QUICK = {
  snapshotFrequency: "PT13H",
  highPriorityMessageFrequency: "PT2S",
  lowPriorityMessageFrequency: "PT3S",
  aggregationIntervalProcessCreate: "PT5S",
  aggregationIntervalProcessTerminate: "PT5S",
  aggregationEnabledConnectionCreate: false,
};

type Item = Readonly<Record<string, unknown>>;

function detail(item: Item, name: string): string | undefined {
  return (item["ExtraDetails"] as Readonly<Record<string, string>> | undefined)?.[name];
}

function hits(items: readonly Item[]): number {
  return items.reduce((sum, item) => sum + Number(detail(item, "HitCount") ?? 1), 0);
}

/** Losses of an event name that DroppedEventsStatistics has reported. */
function lossesOf(gateway: Gateway, name: string): number {
  return gateway
    .items("DroppedEventsStatistics", `Lost.${name}`)
    .flatMap((item) => Object.entries(item["ExtraDetails"] as Readonly<Record<string, string>>))
    .filter(([key]) => key.startsWith(`Lost.${name}.`))
    .reduce((sum, [, count]) => sum + Number(count), 0);
}

async function cpuMs(gateway: Gateway): Promise<number> {
  const file = `/sys/fs/cgroup/system.slice/${UNIT}/cpu.stat`;
  const said = await gateway.machine.must(`grep ^usage_usec ${file}`);
  return Number(said.split(" ")[1]) / 1_000;
}

/** `storm`: how many short processes. */
export function liveEventsSuite(image: ImageName, storm: number): void {
  const skip = whyNoMachines();
  describe(`live events on ${image}`, { skip }, () => {
    let gateway: Gateway;
    let hasFailed = false;

    before(async () => {
      gateway = await openGateway(image);
      await gateway.install(buildPackage());
      await gateway.setUp();
      await gateway.until("the first message", () => gateway.messages.length > 0, 120_000);
      gateway.desire(QUICK);
      await pause(5_000);
    });
    afterEach((context) => {
      hasFailed ||= "passed" in context && context.passed === false;
    });
    after(async () => {
      if (skip !== false) return;
      if (hasFailed) await gateway.keepEvidence();
      await gateway.close();
    });

    it("hold one process with its user, parent and unit, its secret masked", async () => {
      await gateway.machine.must(
        "useradd -m ops; systemd-run -q --wait --unit=probe-unit --uid=ops /usr/bin/env sleep 1.25 --password=hunter2 || true",
      );
      await gateway.until(
        "the process",
        () => gateway.items("ProcessCreate", "sleep 1.25").length > 0,
      );
      const [item] = gateway.items("ProcessCreate", '"/usr/bin/sleep"');
      const [started] = gateway.items("ProcessCreate", "sleep 1.25");
      assert.match(JSON.stringify(item ?? started), /"UserName":"ops"/);
      assert.match(JSON.stringify(item ?? started), /"Unit":"probe-unit.service"/);
      assert.equal(gateway.items("ProcessCreate", "hunter2").length, 0);
      await gateway.until("its end, with its status", () =>
        gateway.items("ProcessTerminate", "/usr/bin/sleep").some((end) => end["ExitStatus"] !== 0),
      );
    });

    it(`hold each of ${storm} short processes, or what was lost is counted`, async () => {
      await gateway.machine.must(
        "cp /bin/true /usr/local/bin/storm-true; cp /bin/dash /usr/local/bin/storm-shell",
      );
      const before = await cpuMs(gateway);
      const startedAtMs = Date.now();
      const loop = `i=0; while [ $i -lt ${storm} ]; do /usr/local/bin/storm-true; i=$((i+1)); done`;
      await gateway.machine.must(`/usr/local/bin/storm-shell -c '${loop}'`, 600_000);
      const tookMs = Date.now() - startedAtMs;
      const mine = (name: string): readonly Item[] =>
        gateway
          .items(name)
          .filter(
            (item) =>
              item["Executable"] === "/usr/local/bin/storm-true" ||
              (detail(item, "Gone") === "true" &&
                detail(item, "ParentExecutable") === "/usr/local/bin/storm-shell"),
          );
      const gone = (): number => hits(mine("ProcessCreate").filter((item) => detail(item, "Gone")));
      await pause(15_000);
      await gateway.until(
        "every execution, or its loss",
        () => hits(mine("ProcessCreate")) + lossesOf(gateway, "ProcessCreate") >= storm,
        120_000,
      );
      const seen = hits(mine("ProcessCreate"));
      const lost = lossesOf(gateway, "ProcessCreate");
      const cpu = (await cpuMs(gateway)) - before;
      gateway.say(
        `${storm} executions in ${(tookMs / 1_000).toFixed(0)} s: ${seen} seen, ${gone()} of them gone, ${lost} lost; ` +
          `agent ${(cpu / storm).toFixed(2)} ms of CPU each, ${((100 * cpu) / tookMs / 2).toFixed(0)} % of the machine`,
      );
      if (lost === 0) assert.equal(seen, storm);
      else assert.ok(seen <= storm && seen + lost >= storm);
    });

    it("stay below the memory limit, with all streams on, in a storm of both", async () => {
      const loop = (count: number, command: string): string =>
        `for ((i = 0; i < ${count}; i++)); do ${command}; done`;
      await gateway.machine.must(
        `(setsid -f timeout 120 nc -lk 0.0.0.0 7100 </dev/null >/dev/null 2>&1); a=$(hostname -I | cut -d' ' -f1); (${loop(1_500, "/bin/true")}) & (${loop(300, "timeout 2 nc -N $a 7100 </dev/null >/dev/null 2>&1")}) & wait`,
        400_000,
      );
      const folder = `/sys/fs/cgroup/system.slice/${UNIT}`;
      const peak = await gateway.machine.must(
        `cat ${folder}/memory.peak 2>/dev/null || cat ${folder}/memory.current`,
      );
      gateway.say(`memory peak or current ${(Number(peak) / 1e6).toFixed(1)} MB`);
      assert.equal(
        await gateway.machine.must(`grep -E '^oom_kill ' ${folder}/memory.events`),
        "oom_kill 0",
      );
      assert.equal(await gateway.machine.must(`systemctl show -P NRestarts ${UNIT}`), "0");
      await gateway.until(
        "connections of both directions, with their process",
        () =>
          gateway.items("ConnectionCreate", '"7100"').length > 0 &&
          gateway.items("ConnectionCreate", '"LocalPort":"7100"').length > 0,
      );
    });
  });
}
