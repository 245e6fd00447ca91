/** Live events on a real system: what really happened, and nothing else, arrives at the hub. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { buildPackage, type Gateway, openGateway } from "./gateway.ts";
import { addUser, quoted } from "./guest.ts";
import { type ImageName, whyNoMachines } from "./images.ts";
import { failToLogIn, logIn, sitAtConsole } from "./serial-console.ts";
import { comeByKey, comeByPassword, makeKey } from "./ssh-visitor.ts";
import { TINY_PROGRAM } from "./tiny-program.ts";
import { HOST_ADDRESS, pause } from "./virtual-machine.ts";

const UNIT = "gatewarden.service";
/** Processes of the system itself that may be gone, or lost, among those of a storm. */
const MOST_OTHERS = 100;
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

/** `Fail sshd visitor`, one line per event. */
function loginsOf(gateway: Gateway): readonly string[] {
  return gateway
    .items("Login")
    .map((item) => `${item["Result"]} ${item["Operation"]} ${item["UserName"]}`);
}

/** Executions of a storm, and what cannot be told from them, since the start. */
function accountOf(gateway: Gateway): {
  readonly read: number;
  readonly byParent: number;
  readonly orphans: number;
  readonly lost: number;
} {
  const created = gateway.items("ProcessCreate");
  const gone = created.filter((item) => detail(item, "Gone") === "true");
  const isOfStorm = (item: Item): boolean =>
    detail(item, "ParentExecutable") === "/usr/local/bin/storm-shell";
  return {
    read: hits(created.filter((item) => item["Executable"] === "/usr/local/bin/storm-true")),
    byParent: hits(gone.filter(isOfStorm)),
    // The kernel names no parent where that had taken note of the end before the notice was written.
    orphans: hits(gone.filter((item) => detail(item, "ParentExecutable") === undefined)),
    lost: lossesOf(gateway, "ProcessCreate"),
  };
}

async function cpuMs(gateway: Gateway): Promise<number> {
  const file = `/sys/fs/cgroup/system.slice/${UNIT}/cpu.stat`;
  const said = await gateway.machine.must(`grep ^usage_usec ${file}`);
  return Number(said.split(" ")[1]) / 1_000;
}

/**
 * `storm`: how many short processes. `isMemoryFilled`: whether memory is looked at in a storm of processes and
 * connections; the package's suite does so on each release, with fewer streams.
 */
export function liveEventsSuite(image: ImageName, storm: number, isMemoryFilled: boolean): void {
  const skip = whyNoMachines();
  describe(`live events on ${image}`, { skip }, () => {
    let gateway: Gateway;
    let hasFailed = false;
    /** Snapshots of users before the restart. */
    let rounds = 0;

    before(async () => {
      gateway = await openGateway(image, 2);
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
        "useradd -m ops; systemd-run -q --wait --unit=probe-unit --uid=ops sh -c 'sleep 6.25; exit 3' --password=hunter2 || true",
      );
      const found = (): Item | undefined =>
        gateway
          .items("ProcessCreate", "sleep 6.25; exit 3")
          .find((item) => detail(item, "Unit") === "probe-unit.service");
      await gateway.until("the process", () => found() !== undefined);
      const item = found();
      assert.match(JSON.stringify(item), /"UserName":"ops"/);
      assert.match(String(item?.["CommandLine"]), /--password=\*\*\*$/);
      assert.equal(gateway.items("ProcessCreate", "hunter2").length, 0);
      await gateway.until("its end, with its status", () =>
        gateway.items("ProcessTerminate", "/usr/bin/dash").some((end) => end["ExitStatus"] === 3),
      );
    });

    it("hold each login once: ssh, su, sudo and the console, let in and refused", async () => {
      const { machine, folder } = gateway;
      await addUser(machine, "visitor", "right-1", ["sudo"]);
      const key = makeKey(folder, "visitor-key");
      const other = makeKey(folder, "other-key");
      await machine.copyIn(`${key}.pub`, "/root/visitor.pub");
      await machine.must(
        "install -d -m 700 -o visitor -g visitor ~visitor/.ssh && install -m 600 -o visitor -g visitor /root/visitor.pub ~visitor/.ssh/authorized_keys && echo root:root-1 | chpasswd",
      );
      assert.ok(await comeByPassword(machine, folder, "visitor", "right-1"));
      assert.ok(!(await comeByPassword(machine, folder, "visitor", "wrong")));
      assert.ok(!(await comeByPassword(machine, folder, "nobody-here", "wrong")));
      await machine.must("journalctl --rotate");
      assert.ok(await comeByKey(machine, "visitor", key));
      assert.ok(!(await comeByKey(machine, "visitor", other)));
      const asVisitor = (command: string): string =>
        `runuser -u visitor -- sh -c ${quoted(command)} </dev/null`;
      await machine.must(asVisitor("echo root-1 | su root -c true"));
      await machine.run(asVisitor("echo wrong | su root -c true"));
      await machine.must(asVisitor("echo right-1 | sudo -S true --token hunter2"));
      await machine.run(asVisitor("sudo -k; echo wrong | sudo -S true"));
      const person = sitAtConsole(machine);
      await failToLogIn(person, "visitor", "wrong");
      await logIn(person, "visitor", "right-1");
      person.enter("exit");
      const expected = [
        ...["Fail login visitor", "Fail sshd nobody-here", "Fail sshd visitor"],
        ...["Fail sshd visitor", "Fail su root", "Fail sudo root"],
        ...["Success login visitor", "Success sshd visitor", "Success sshd visitor"],
        ...["Success su root", "Success sudo root"],
      ];
      const seen = (): readonly string[] =>
        loginsOf(gateway).filter((line) => !/sshd root$/.test(line));
      await gateway.until("every login", () => seen().length >= expected.length);
      // What would come twice would come now.
      await pause(8_000);
      assert.deepEqual([...seen()].sort(), expected);
      const [first] = gateway.items("Login", '"visitor"');
      assert.equal(first?.["RemoteAddress"], HOST_ADDRESS);
      assert.match(String(first?.["Executable"]), /\/sshd/);
      assert.equal(detail(first ?? {}, "Method"), "password");
      const sudo = gateway.items("Login", '"sudo"').find((item) => item["Result"] === "Success");
      assert.match(String(detail(sudo ?? {}, "Command")), /true --token \*\*\*$/);
      assert.equal(detail(sudo ?? {}, "ByUser"), "visitor");
    });

    it("hold what happened while the agent was away, and repeat nothing after a reboot", async () => {
      const { machine, folder } = gateway;
      const count = (): number => loginsOf(gateway).filter((one) => / visitor$/.test(one)).length;
      const before = count();
      await machine.must(`systemctl stop ${UNIT}`);
      assert.ok(await comeByPassword(machine, folder, "visitor", "right-1"));
      await machine.must("journalctl --rotate");
      assert.ok(!(await comeByPassword(machine, folder, "visitor", "wrong")));
      await machine.must(`systemctl start ${UNIT}`);
      await gateway.until("both", () => count() >= before + 2, 180_000);
      assert.ok(await comeByPassword(machine, folder, "visitor", "right-1"));
      rounds = gateway.events("LocalUsers").length;
      await machine.reboot();
      assert.ok(await comeByPassword(machine, folder, "visitor", "right-1"));
      await gateway.until("those around the reboot", () => count() >= before + 4, 120_000);
      await pause(10_000);
      assert.equal(count(), before + 4);
    });

    it("hold a user that was added, within seconds", async () => {
      await gateway.until(
        "the first round after the restart",
        () => gateway.events("LocalUsers").length > rounds,
        180_000,
      );
      const snapshots = gateway.events("LocalUsers").length;
      await gateway.machine.must("useradd -m newcomer");
      await gateway.until(
        "the user",
        () => gateway.items("LocalUsers", '"newcomer"').length > 0,
        120_000,
      );
      await pause(5_000);
      assert.equal(gateway.events("LocalUsers").length, snapshots + 1);
    });

    it(`hold each of ${storm} short processes, or what was lost is counted`, async () => {
      const program = join(gateway.folder, "storm-true");
      writeFileSync(program, TINY_PROGRAM);
      await gateway.machine.copyIn(program, "/usr/local/bin/storm-true");
      await gateway.machine.must(
        "chmod 755 /usr/local/bin/storm-true; cp /bin/dash /usr/local/bin/storm-shell",
      );
      const before = await cpuMs(gateway);
      const known = accountOf(gateway);
      const startedAtMs = Date.now();
      const loop = `i=0; while [ $i -lt ${storm} ]; do /usr/local/bin/storm-true; i=$((i+1)); done`;
      await gateway.machine.must(`/usr/local/bin/storm-shell -c '${loop}'`, 600_000);
      const tookMs = Date.now() - startedAtMs;
      await pause(15_000);
      const cpu = (await cpuMs(gateway)) - before;
      const reports = gateway.events("DroppedEventsStatistics").length;
      await gateway.hub.invokeMethod("collect", { collectors: ["dropped-events-statistics"] });
      await gateway.until(
        "a word on what was lost",
        () => gateway.events("DroppedEventsStatistics").length > reports,
      );
      const { read, byParent, ...all } = accountOf(gateway);
      const orphans = all.orphans - known.orphans;
      const lost = all.lost - known.lost;
      gateway.say(
        `${storm} executions in ${(tookMs / 1_000).toFixed(0)} s: ${read} read, ${byParent} gone, ${orphans} gone without a parent, ${lost} lost; ` +
          `agent ${(cpu / storm).toFixed(2)} ms of CPU each, ${((100 * cpu) / tookMs / 2).toFixed(0)} % of the machine`,
      );
      const accounted = read + byParent + orphans + lost;
      assert.ok(accounted >= storm, "none is missing without a word");
      assert.ok(accounted <= storm + MOST_OTHERS, "none is told twice");
    });

    if (!isMemoryFilled) return;
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
      const parts = await gateway.machine.must(
        `grep -E '^(anon|file|kernel|sock|file_mapped) ' ${folder}/memory.stat | tr '\\n' ' '`,
      );
      gateway.say(`memory peak or current ${(Number(peak) / 1e6).toFixed(1)} MB; now ${parts}`);
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
