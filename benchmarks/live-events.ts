import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPackage, type Gateway, openGateway } from "../test/vm/gateway.ts";
import { whyNoMachines } from "../test/vm/images.ts";
import { pause } from "../test/vm/virtual-machine.ts";
import type { Benchmark, Figure, Measurement } from "./benchmark.ts";
import { absolute, skipped } from "./figures.ts";
import { STANDARD_LOAD } from "./standard-load.ts";

const STORM = 5_000;
const IDLE_MS = 600_000;
const TRACE_MS = 120_000;
const LOAD_MS = 300_000;
const PEERS = ["auditd", "libauparse0", "forkstat", "libbsd0"];
const UNIT = "gatewarden.service";

/** Live events beside auditd and forkstat, in a virtual machine of its own: audit is one for all. */
export const liveEvents: Benchmark = {
  name: "live-events",
  question: "What do live events cost, idle and in a storm of processes?",
  async run(progress) {
    const reason = whyNoMachines();
    if (reason !== false) return skipped(reason);
    const packages = downloadPeers(progress);
    const gateway = await openGateway("bookworm");
    try {
      await gateway.install(buildPackage());
      await gateway.setUp();
      await gateway.until("the first message", () => gateway.messages.length > 0, 120_000);
      await prepareStorm(gateway);
      return [
        ...(await measureIdle(gateway, progress)),
        ...(await measureStandardLoad(gateway, progress)),
        ...(await measureStorms(gateway, packages, progress)),
      ];
    } finally {
      await gateway.close();
      if (packages !== undefined) rmSync(packages, { recursive: true, force: true });
    }
  },
};

/** A folder with the peers' packages; undefined where they are not to be had. */
function downloadPeers(progress: (line: string) => void): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-peers-"));
  const got = spawnSync("apt-get", ["download", ...PEERS], { cwd: folder, encoding: "utf8" });
  if (got.status === 0) return folder;
  progress(`no peers: ${got.stderr.trim().split("\n").at(-1)}`);
  rmSync(folder, { recursive: true, force: true });
  return undefined;
}

async function prepareStorm({ machine }: Gateway): Promise<void> {
  await machine.must(
    "cp /bin/true /usr/local/bin/storm-true; cp /bin/dash /usr/local/bin/storm-shell",
  );
}

/** Milliseconds that the storm took. */
async function storm({ machine }: Gateway): Promise<number> {
  const loop = `i=0; while [ $i -lt ${STORM} ]; do /usr/local/bin/storm-true; i=$((i+1)); done`;
  const said = await machine.must(
    `s=$(date +%s%N); /usr/local/bin/storm-shell -c '${loop}'; echo $((($(date +%s%N)-s)/1000000))`,
    600_000,
  );
  return Number(said);
}

/** CPU of a unit since it started, ms. */
async function unitCpuMs({ machine }: Gateway, unit: string): Promise<number> {
  const said = await machine.must(
    `grep ^usage_usec /sys/fs/cgroup/system.slice/${unit}/cpu.stat | cut -d' ' -f2`,
  );
  return Number(said) / 1_000;
}

/** CPU of a kernel thread, ms: what it does for others is in no control group. */
async function threadCpuMs({ machine }: Gateway, name: string): Promise<number> {
  const said = await machine.must(
    `p=$(pgrep -x ${name}); awk '{print $14+$15}' /proc/$p/stat; getconf CLK_TCK`,
  );
  const [ticks = "0", perSecond = "100"] = said.split("\n");
  return (Number(ticks) * 1_000) / Number(perSecond);
}

async function measureIdle(
  gateway: Gateway,
  progress: (line: string) => void,
): Promise<readonly Figure[]> {
  const { machine } = gateway;
  await pause(90_000);
  progress(`idle for ${IDLE_MS / 60_000} minutes`);
  const cpuBefore = await unitCpuMs(gateway, UNIT);
  const switchesBefore = await switches(gateway);
  await pause(IDLE_MS);
  const cpu = (await unitCpuMs(gateway, UNIT)) - cpuBefore;
  const count = (await switches(gateway)) - switchesBefore;
  progress("a trace of every wake-up");
  const wakes = await traceWakes(gateway);
  const memory = await machine.must(
    `awk '/^Rss:|^Pss:/ {print $2}' /proc/$(systemctl show -P MainPID ${UNIT})/smaps_rollup`,
  );
  const [rss = "0", pss = "0"] = memory.split("\n");
  const command = `${UNIT}, all collectors on, scaled from ${IDLE_MS / 1_000} s, processors emulated`;
  const perHour = 3_600_000 / IDLE_MS;
  return [
    absolute({
      ...{ name: "idle: CPU per hour", unit: "s", command },
      values: [(cpu / 1_000) * perHour],
    }),
    absolute({
      ...{ name: "idle: wake-ups per hour", unit: "per hour", command, limit: 18_000 },
      values: [count * perHour],
    }),
    absolute({ name: "idle: RSS", unit: "bytes", command, values: [Number(rss) * 1_024] }),
    absolute({ name: "idle: PSS", unit: "bytes", command, values: [Number(pss) * 1_024] }),
    {
      what: "idle: wake-ups of the main thread",
      value: `${wakes.count} in ${TRACE_MS / 1_000} s`,
      how: `sched_wakeup of the kernel's tracer; at seconds ${wakes.seconds.join(" ")}`,
    },
  ];
}

/** The processes of the standard load, which no other benchmark can show to the agent. */
async function measureStandardLoad(
  gateway: Gateway,
  progress: (line: string) => void,
): Promise<readonly Figure[]> {
  const seconds = LOAD_MS / 1_000;
  const count = Math.round((STANDARD_LOAD.processesPerMinute * seconds) / 60);
  progress(`${count} processes of the standard load`);
  const [cpuBefore, switchesBefore] = [await unitCpuMs(gateway, UNIT), await switches(gateway)];
  const pauseSeconds = 60 / STANDARD_LOAD.processesPerMinute;
  // `read` waits without a process of its own.
  const loop = `for n in $(seq ${count}); do /bin/true; read -t ${pauseSeconds} _ <> <(:); done; true`;
  await gateway.machine.must(`bash -c '${loop}'`, 2 * LOAD_MS);
  const cpu = (await unitCpuMs(gateway, UNIT)) - cpuBefore;
  const woken = (await switches(gateway)) - switchesBefore;
  const command = `${UNIT}, ${count} processes in ${seconds} s, scaled, processors emulated`;
  const perHour = 3_600_000 / LOAD_MS;
  return [
    absolute({
      ...{ name: "processes of the standard load: CPU per hour", unit: "s", command },
      values: [(cpu / 1_000) * perHour],
    }),
    absolute({
      ...{ name: "processes of the standard load: wake-ups per hour", unit: "per hour", command },
      values: [woken * perHour],
    }),
  ];
}

async function switches({ machine }: Gateway): Promise<number> {
  const said = await machine.must(
    `awk '/^voluntary/ {n+=$2} END {print n}' /proc/$(systemctl show -P MainPID ${UNIT})/task/*/status`,
  );
  return Number(said);
}

/** Whole seconds at which the main thread was woken, so that documented timers can be told. */
async function traceWakes({
  machine,
}: Gateway): Promise<{ readonly count: number; readonly seconds: readonly number[] }> {
  const folder = "/sys/kernel/tracing";
  const said = await machine.must(
    [
      `p=$(systemctl show -P MainPID ${UNIT}); cd ${folder}; echo 0 >tracing_on; echo >trace`,
      `echo "pid == $p" >events/sched/sched_wakeup/filter; echo 1 >events/sched/sched_wakeup/enable`,
      `echo 1 >tracing_on; sleep ${TRACE_MS / 1_000}; echo 0 >tracing_on`,
      `echo 0 >events/sched/sched_wakeup/enable`,
      `grep -oE ' [0-9]+\\.[0-9]{6}: sched_wakeup' trace | cut -d: -f1`,
    ].join("; "),
    TRACE_MS + 60_000,
  );
  const times = said === "" ? [] : said.split("\n").map(Number);
  const first = times[0] ?? 0;
  return {
    count: times.length,
    seconds: [...new Set(times.map((time) => Math.floor(time - first)))],
  };
}

async function measureStorms(
  gateway: Gateway,
  packages: string | undefined,
  progress: (line: string) => void,
): Promise<readonly Figure[]> {
  const { machine } = gateway;
  progress(`a storm of ${STORM} processes beside gatewarden`);
  const before = await unitCpuMs(gateway, UNIT);
  const tookMs = await storm(gateway);
  await pause(5_000);
  const cpu = (await unitCpuMs(gateway, UNIT)) - before;
  await machine.must(`systemctl stop ${UNIT}`);
  progress("the same storm alone");
  const aloneMs = await storm(gateway);
  const figures = [
    ...figuresOf("nobody", aloneMs, aloneMs, 0, "nobody watches"),
    ...figuresOf("gatewarden", tookMs, aloneMs, cpu, "with user, parent, unit and command line"),
  ];
  if (packages === undefined) return figures;
  for (const file of readdirSync(packages)) await machine.copyIn(join(packages, file), "/root/");
  await machine.must("cd /root && dpkg -i *.deb >/dev/null 2>&1; true", 120_000);
  figures.push(...(await forkstatStorm(gateway, aloneMs, progress)));
  figures.push(...(await auditStorm(gateway, aloneMs, progress)));
  return figures;
}

async function forkstatStorm(
  gateway: Gateway,
  aloneMs: number,
  progress: (line: string) => void,
): Promise<readonly Measurement[]> {
  const { machine } = gateway;
  progress("the same storm beside forkstat");
  await machine.must(
    "systemd-run -q --unit=forkstat -p StandardOutput=truncate:/root/forkstat.log forkstat -e exec,exit",
  );
  await pause(2_000);
  const tookMs = await storm(gateway);
  await pause(2_000);
  const cpu = await unitCpuMs(gateway, "forkstat.service");
  await machine.must("systemctl stop forkstat");
  const seen = await machine.must("grep -c ' exec .*storm-true' /root/forkstat.log || true");
  return figuresOf("forkstat", tookMs, aloneMs, cpu, `${seen} of ${STORM} named`);
}

async function auditStorm(
  gateway: Gateway,
  aloneMs: number,
  progress: (line: string) => void,
): Promise<readonly Measurement[]> {
  const { machine } = gateway;
  progress("the same storm beside auditd with a rule for execve");
  await machine.must(
    "sed -i 's/^max_log_file = .*/max_log_file = 200/' /etc/audit/auditd.conf; systemctl start auditd; auditctl -b 8192 >/dev/null; auditctl -a always,exit -F arch=b64 -S execve -k storm",
  );
  const kernelBefore = await threadCpuMs(gateway, "kauditd");
  const before = await unitCpuMs(gateway, "auditd.service");
  const tookMs = await storm(gateway);
  await pause(3_000);
  const cpu = (await unitCpuMs(gateway, "auditd.service")) - before;
  const kernel = (await threadCpuMs(gateway, "kauditd")) - kernelBefore;
  const seen = await machine.must(
    "grep -c 'type=SYSCALL.*storm-true.*key=\"storm\"' /var/log/audit/audit.log || true",
  );
  const lost = await machine.must("auditctl -s | awk '/^lost/ {print $2}'");
  const how = `${seen} of ${STORM} in its log, ${lost} lost; kauditd's CPU included`;
  return figuresOf("auditd", tookMs, aloneMs, cpu + kernel, how);
}

function figuresOf(
  column: string,
  tookMs: number,
  aloneMs: number,
  cpuMs: number,
  how: string,
): readonly Measurement[] {
  const command = `${STORM} executions one after the other; ${how}`;
  const figure = (row: string, unit: "ms" | "%", value: number) =>
    absolute({
      ...{ name: `storm beside ${column}: ${row}`, unit, values: [value], command },
      cell: { row, column },
    });
  return [
    figure("storm took", "ms", tookMs),
    figure("longer than alone", "%", 100 * (tookMs / aloneMs - 1)),
    figure("CPU per execution", "ms", cpuMs / STORM),
    figure("of two cores", "%", (50 * cpuMs) / tookMs),
  ];
}
