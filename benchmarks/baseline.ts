import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { debianRoots, whyNoRoots } from "../test/baseline/debian-root.ts";
import { type Benchmark, type Figure, type Measurement, ROOT } from "./benchmark.ts";
import { absolute, ratio, skipped } from "./figures.ts";

const PEERS = ["lynis", "openscap-scanner", "ssg-debian", "time"];
const PROFILE = "xccdf_org.ssgproject.content_profile_anssi_np_nt28_restrictive";
const CONTENT = "/usr/share/xml/scap/ssg/content/ssg-debian11-ds.xml";
/** Debian's own content knows no Debian 12: it is told that this is 11, or it judges nothing. */
const AS_DEBIAN_11 =
  'rm -f /etc/os-release; sed \'s/12 (bookworm)/11 (bullseye)/; s/"12"/"11"/; s/bookworm/bullseye/\' /usr/lib/os-release >/etc/os-release; echo 11.9 >/etc/debian_version';

const OURS = "gatewarden baseline";
const LYNIS = "lynis audit system --quick";

/** A baseline scan against Lynis and OpenSCAP, on the same root file system. */
export const baseline: Benchmark = {
  name: "baseline",
  question: "What does a baseline scan cost?",
  async run(progress) {
    const reason = whyNoRoots();
    if (reason !== false) return skipped(reason);
    progress("root file systems");
    const { plain } = debianRoots("bookworm");
    const folder = mkdtempSync(join(tmpdir(), "gatewarden-bench-baseline-"));
    const root = join(folder, "root");
    try {
      spawnSync("cp", ["-a", "--reflink=auto", plain, root]);
      const hasPeers = installPeers(root, progress);
      const own = [process.execPath, `${ROOT}dist/gatewarden.js`, "baseline", "--root", root];
      const figures = [
        ...inAgent(root, progress),
        ...wholeProcess(OURS, [...own, "--format", "json"], root, folder, progress),
        ...wholeProcess(
          "gatewarden baseline --walk",
          [...own, "--walk", "--format", "json"],
          root,
          folder,
          progress,
        ),
      ];
      if (!hasPeers) return figures;
      const lynis = ["chroot", root, "lynis", "audit", "system", "--quick", "--no-colors"];
      figures.push(...wholeProcess(LYNIS, lynis, root, folder, progress));
      spawnSync("chroot", [root, "sh", "-c", AS_DEBIAN_11]);
      const oscap = ["chroot", root, "oscap", "xccdf", "eval", "--profile", PROFILE, CONTENT];
      figures.push(...wholeProcess("oscap, 49 rules", oscap, root, folder, progress));
      return [...againstLynis(figures), ...figures];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** True when the peers are there. The root gets this machine's resolver, to reach its own mirrors. */
function installPeers(root: string, progress: (line: string) => void): boolean {
  progress("lynis and openscap, into the root");
  if (existsSync("/etc/resolv.conf")) {
    writeFileSync(join(root, "etc/resolv.conf"), readFileSync("/etc/resolv.conf"));
  }
  const install = `apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends ${PEERS.join(" ")}`;
  const { status, stderr } = spawnSync("chroot", [root, "sh", "-c", install], { encoding: "utf8" });
  if (status !== 0) progress(`no peers: ${stderr.trim().split("\n").at(-1)}`);
  return status === 0;
}

interface DriverReport {
  readonly scans: readonly {
    readonly cpuMs: number;
    readonly wallMs: number;
    readonly verdicts: number;
  }[];
  readonly rssBytes: number;
}

function inAgent(root: string, progress: (line: string) => void): readonly Figure[] {
  progress("six scans in one process");
  const args = ["--import", "tsx", `${ROOT}benchmarks/baseline-driver.ts`, root];
  const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8", cwd: ROOT });
  const report: DriverReport = JSON.parse(stdout);
  const [first, ...others] = report.scans;
  const command = `node --import tsx benchmarks/baseline-driver.ts; ${first?.verdicts ?? 0} rules decided`;
  const figure = (name: string, scans: DriverReport["scans"], pick: "cpuMs" | "wallMs") =>
    absolute({ name, unit: "ms", command, values: scans.map((scan) => scan[pick]) });
  const firsts = first === undefined ? [] : [first];
  return [
    figure("in the agent, first scan: CPU", firsts, "cpuMs"),
    figure("in the agent, first scan: time", firsts, "wallMs"),
    figure("in the agent, later scans: CPU", others, "cpuMs"),
    figure("in the agent, later scans: time", others, "wallMs"),
    absolute({
      ...{ name: "in the agent, six scans: memory taken", unit: "bytes", command },
      values: [report.rssBytes],
    }),
  ];
}

/** How many times as much Lynis takes for its scan as we for ours. They do not judge the same things. */
function againstLynis(figures: readonly Figure[]): readonly Figure[] {
  const valuesOf = (name: string): readonly number[] =>
    figures.flatMap((figure) =>
      "median" in figure && figure.name === name ? [figure.median] : [],
    );
  return ["CPU", "time"].flatMap((what) => {
    const [of, to] = [valuesOf(`${LYNIS}: ${what}`), valuesOf(`${OURS}: ${what}`)];
    if (of.length === 0 || to.length === 0) return [];
    const name = `${LYNIS} / ${OURS}: ${what}`;
    return [ratio({ name, command: `${LYNIS}; ${OURS}`, better: "higher", of, to })];
  });
}

/** A command as a whole: its time, its memory, and on another run the processes it starts. */
function wholeProcess(
  what: string,
  command: readonly string[],
  root: string,
  folder: string,
  progress: (line: string) => void,
): readonly Measurement[] {
  progress(what);
  const time = join(root, "usr/bin/time");
  const report = join(folder, "time");
  const timed = existsSync(time) ? [time, "-f", "%e %U %S %M", "-o", report] : [];
  const [program = "", ...args] = [...timed, ...command];
  spawnSync(program, args, { stdio: "ignore" });
  const words = existsSync(report)
    ? (readFileSync(report, "utf8").trim().split("\n").at(-1) ?? "")
    : "";
  const [wall = 0, user = 0, system = 0, kilobytes = 0] = words.split(" ").map(Number);
  const { processes, programs } = countProcesses(command, folder);
  const figure = (row: string, unit: "ms" | "bytes" | "count", value: number) =>
    absolute({
      ...{ name: `${what}: ${row}`, unit, values: [value], command: what },
      cell: { row, column: what },
    });
  return [
    figure("CPU", "ms", (user + system) * 1_000),
    figure("time", "ms", wall * 1_000),
    figure("peak RSS", "bytes", kilobytes * 1_024),
    figure("processes started", "count", processes),
    figure("programs started", "count", programs),
  ];
}

function countProcesses(
  command: readonly string[],
  folder: string,
): { readonly processes: number; readonly programs: number } {
  const trace = join(folder, "trace");
  const calls = "trace=execve,execveat,fork,vfork,clone,clone3";
  spawnSync("strace", ["-f", "-qq", "-e", calls, "-o", trace, ...command], { stdio: "ignore" });
  const lines = existsSync(trace) ? readFileSync(trace, "utf8").split("\n") : [];
  const isStarted = (line: string): boolean =>
    /\b(?:v?fork|clone3?)\(/.test(line) && !line.includes("CLONE_THREAD");
  const execs = lines.filter((line) => /\bexecve(?:at)?\(/.test(line) && !/= -1 E/.test(line));
  // The first program is the scanner, or the chroot around it, which then becomes the scanner.
  const own = command[0] === "chroot" ? 2 : 1;
  return {
    processes: lines.filter(isStarted).length,
    programs: Math.max(0, execs.length - own),
  };
}
