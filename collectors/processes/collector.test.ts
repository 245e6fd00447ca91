import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { EventDraft, PayloadItem } from "../../src/contract/event.ts";
import { contextOf, settingsOf } from "../../test/collectors/case-run.ts";
import { liveMachine, processFacts, processNotice } from "../../test/collectors/live-probe.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { RecordingLog } from "../../test/support/recording-log.ts";
import { processes as collector } from "./index.ts";

async function rig(settings: Readonly<Record<string, unknown>> = {}) {
  const machine = liveMachine();
  const clock = new FakeClock();
  const drafts: EventDraft[] = [];
  const losses: string[] = [];
  const base = contextOf(machine.probe, settingsOf(collector, settings));
  const context = {
    ...base,
    clock,
    log: new RecordingLog(),
    agent: {
      ...base.agent,
      countLoss: (name: string, reason: string, count: number) => {
        losses.push(`${name}.${reason} ${count}`);
      },
    },
  };
  const items = (name: string): readonly PayloadItem[] =>
    drafts.filter((draft) => draft.name === name).flatMap((draft) => draft.payload);
  assert.ok(collector.mode === "watch");
  const { watch } = collector;
  const start = () => watch(context, (given) => drafts.push(...given));
  return { machine, clock, losses, items, start };
}

describe("processes, as the kernel tells of them", () => {
  it("are read at once and handed over together, secrets masked", async () => {
    const { machine, clock, items, start } = await rig();
    machine.tree.files.set("/etc/passwd", "ops:x:1000:1000::/home/ops:/bin/sh\n");
    machine.processes.set(50, processFacts({ processId: 50, executable: "/usr/bin/bash" }));
    const watch = await start();
    const child = { processId: 60, parentProcessId: 50, userId: 1000, unit: "session-3.scope" };
    const args = ["curl", "--password", "hunter2", "https://example.org"];
    machine.processes.set(60, processFacts({ ...child, executable: "/usr/bin/curl", args }));
    machine.tell("executions", processNotice("exec", 60));
    machine.processes.delete(60);
    await clock.advance(150);
    assert.deepEqual(items("ProcessCreate"), [
      {
        Executable: "/usr/bin/curl",
        ProcessId: 60,
        ParentProcessId: 50,
        UserId: "1000",
        UserName: "ops",
        CommandLine: "curl --password *** https://example.org",
        ExtraDetails: {
          Source: "proc_connector",
          ParentExecutable: "/usr/bin/bash",
          Unit: "session-3.scope",
        },
      },
    ]);
    await watch.stop();
    assert.deepEqual(machine.listening(), []);
  });

  it("that are gone before they can be read say so, with the parent that their end names", async () => {
    const { machine, clock, items, start } = await rig();
    machine.processes.set(50, processFacts({ processId: 50, executable: "/usr/bin/make" }));
    const watch = await start();
    machine.tell("executions", processNotice("exec", 61));
    machine.tell("exits", processNotice("exit", 61, { parent: 50, waitStatus: 0x200 }));
    await clock.advance(150);
    const [created] = items("ProcessCreate");
    assert.deepEqual(created?.["ExtraDetails"], {
      Source: "proc_connector",
      ParentExecutable: "/usr/bin/make",
      Gone: "true",
    });
    assert.equal(created?.["ParentProcessId"], 50);
    const [ended] = items("ProcessTerminate");
    assert.deepEqual([ended?.["Executable"], ended?.["ExitStatus"]], ["", 2]);
    await watch.stop();
  });

  it("end with their own program, even when their execution is read after their end", async () => {
    const { machine, clock, items, start } = await rig();
    const watch = await start();
    machine.processes.set(62, processFacts({ processId: 62, executable: "/usr/bin/late" }));
    machine.hold("executions", processNotice("exec", 62));
    machine.tell("exits", processNotice("exit", 62, { waitStatus: 9 }));
    await clock.advance(250);
    const [ended] = items("ProcessTerminate");
    assert.deepEqual(ended, {
      Executable: "/usr/bin/late",
      ProcessId: 62,
      ExitStatus: 137,
      ExtraDetails: { Source: "proc_connector", Signal: "9" },
    });
    assert.equal(items("ProcessCreate").length, 1);
    await watch.stop();
  });

  it("are told each, when one process executes twice before it can be read", async () => {
    const { machine, items, start } = await rig();
    const watch = await start();
    machine.tell("executions", processNotice("exec", 63));
    machine.tell("executions", processNotice("exec", 63));
    await watch.stop();
    assert.deepEqual(
      items("ProcessCreate").map((item) => item["ProcessId"]),
      [63, 63],
    );
  });

  it("that were half gone get their parent from their end", async () => {
    const { machine, clock, items, start } = await rig();
    machine.processes.set(50, processFacts({ processId: 50, executable: "/usr/bin/make" }));
    const watch = await start();
    const half = { processId: 64, parentProcessId: undefined, userId: undefined };
    machine.processes.set(64, processFacts({ ...half, executable: "/usr/bin/cc" }));
    machine.tell("executions", processNotice("exec", 64));
    machine.processes.delete(64);
    machine.tell("exits", processNotice("exit", 64, { parent: 50 }));
    await clock.advance(250);
    const [item] = items("ProcessCreate");
    assert.deepEqual([item?.["Executable"], item?.["ParentProcessId"]], ["/usr/bin/cc", 50]);
    assert.equal(items("ProcessTerminate")[0]?.["Executable"], "/usr/bin/cc");
    await watch.stop();
  });

  it("that are gone are named by audit records, where executions are audited", async () => {
    const { machine, clock, items, start } = await rig();
    const watch = await start();
    const record = (type: number, text: string): void => {
      const body = Buffer.from(`audit(1763710000.123:77): ${text}`);
      const bytes = new Uint8Array(16 + body.length);
      new DataView(bytes.buffer).setUint16(4, type, true);
      bytes.set(body, 16);
      machine.hold("audit", bytes);
    };
    machine.tell("executions", processNotice("exec", 65));
    record(1_300, 'success=yes ppid=50 pid=65 uid=7 exe="/usr/bin/true"');
    record(1_309, 'argc=2 a0="true" a1="--password=hunter2"');
    record(1_320, "");
    machine.tell("exits", processNotice("exit", 65, { parent: 50 }));
    await clock.advance(250);
    assert.deepEqual(items("ProcessCreate"), [
      {
        Executable: "/usr/bin/true",
        ProcessId: 65,
        ParentProcessId: 50,
        UserId: "7",
        CommandLine: "true --password=***",
        ExtraDetails: { Source: "proc_connector+audit" },
      },
    ]);
    await watch.stop();
  });

  it("that never executed a program end with that of their parent", async () => {
    const { machine, clock, items, start } = await rig();
    machine.processes.set(50, processFacts({ processId: 50, executable: "/usr/bin/bash" }));
    const watch = await start();
    machine.tell("exits", processNotice("exit", 70, { parent: 50 }));
    await clock.advance(150);
    const [ended] = items("ProcessTerminate");
    assert.equal(ended?.["Executable"], "/usr/bin/bash");
    assert.deepEqual(ended?.["ExtraDetails"], { Source: "proc_connector", Forked: "true" });
    await watch.stop();
  });

  it("that the kernel dropped are counted, and found again while they run", async () => {
    const { machine, clock, items, losses, start } = await rig();
    const watch = await start();
    machine.processes.set(80, processFacts({ processId: 80, executable: "/usr/bin/missed" }));
    machine.overrun("executions", 4);
    machine.overrun("executions", 3);
    await clock.advance(1_200);
    assert.deepEqual(losses, ["ProcessCreate.overrun 4", "ProcessCreate.overrun 3"]);
    const [found] = items("ProcessCreate");
    assert.equal(found?.["Executable"], "/usr/bin/missed");
    assert.deepEqual(found?.["ExtraDetails"], { Source: "proc" });
    machine.tell("executions", Uint8Array.of(1, 2, 3));
    assert.deepEqual(losses.at(-1), "ProcessCreate.unreadable 1");
    await watch.stop();
  });
});

describe("processes, where the kernel does not tell", () => {
  it("are found by looking, which is said, and come without their ends", async () => {
    const { machine, clock, items, start } = await rig({ pollSeconds: 5 });
    machine.refused.set("executions", "not-permitted");
    machine.processes.set(50, processFacts({ processId: 50 }));
    const watch = await start();
    assert.equal(watch.problems?.[0]?.code, "not-permitted");
    assert.match(watch.problems?.[0]?.detail ?? "", /polled/);
    machine.processes.set(90, processFacts({ processId: 90, executable: "/usr/bin/daemon" }));
    await clock.advance(5_200);
    machine.processes.delete(90);
    await clock.advance(5_200);
    assert.deepEqual(
      items("ProcessCreate").map((item) => item["Executable"]),
      ["/usr/bin/daemon"],
    );
    assert.equal(items("ProcessTerminate").length, 0);
    await watch.stop();
  });

  it("go on by looking when the kernel's stream ends", async () => {
    const { machine, clock, items, start } = await rig({ pollSeconds: 5 });
    const watch = await start();
    machine.end("executions");
    machine.processes.set(91, processFacts({ processId: 91, executable: "/usr/bin/later" }));
    await clock.advance(5_200);
    assert.equal(items("ProcessCreate").length, 1);
    await watch.stop();
  });

  it("are not watched at all when only the kernel will do", async () => {
    const { machine, start } = await rig({ source: "connector" });
    machine.refused.set("executions", "unsupported");
    await assert.rejects(start, /refused for the test/);
  });
});
