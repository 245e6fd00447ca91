import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mosquittoMissing } from "../test/support/mosquitto.ts";
import { type Benchmark, type Figure, ROOT, type RunOptions } from "./benchmark.ts";
import { skipped } from "./figures.ts";
import { classicAgent } from "./footprint/classic-agent.ts";
import type { FootprintReply, FootprintRequest, TransportName } from "./footprint/contract.ts";
import { figuresOf, type Measured } from "./footprint/footprint-figures.ts";
import { oneShots } from "./footprint/one-shots.ts";
import { BARE_NODE, peerPrograms } from "./footprint/peers.ts";
import { sizes } from "./footprint/sizes.ts";
import { OWN_NAMESPACES, whyNoNamespaces } from "./support/namespace.ts";

const SPEED = 20;

interface Rounds {
  readonly count: number;
  /** The first round has the loads; the others tell how memory differs from start to start. */
  readonly first: Omit<FootprintRequest, "subject">;
  readonly others: Omit<FootprintRequest, "subject">;
}

const MEMORY_ONLY = {
  idleSeconds: 5,
  loadSeconds: 0,
  acceleratedSeconds: 0,
  speed: SPEED,
  starts: 1,
};

/** The agent tidies up its memory a quarter of a minute after its start: that is no idle time yet. */
const MODES: Readonly<Record<RunOptions["mode"], Rounds>> = {
  full: {
    count: 5,
    first: {
      ...{ settleSeconds: 30, idleSeconds: 300, loadSeconds: 300, acceleratedSeconds: 3_600 },
      ...{ speed: SPEED, starts: 7 },
    },
    others: { ...MEMORY_ONLY, settleSeconds: 30 },
  },
  check: {
    count: 2,
    first: { ...MEMORY_ONLY, settleSeconds: 30 },
    others: { ...MEMORY_ONLY, settleSeconds: 30 },
  },
  quick: {
    count: 1,
    first: {
      ...{ settleSeconds: 30, idleSeconds: 30, loadSeconds: 30, acceleratedSeconds: 60 },
      ...{ speed: SPEED, starts: 2 },
    },
    others: { ...MEMORY_ONLY, settleSeconds: 30 },
  },
};

/** A subject to measure, before it was. */
interface Subject {
  readonly name: string;
  readonly transport?: TransportName;
  readonly subject: FootprintRequest["subject"];
}

/** The running agent beside bare Node and other programs that watch a machine. */
export const footprint: Benchmark = {
  name: "footprint",
  question: "What does the running agent cost, idle and at work, beside other programs?",
  hasChecks: true,
  charts: [
    bars("footprint-memory", "Idle memory", "RSS"),
    bars("footprint-memory-loaded", "Memory after the accelerated load", "RSS"),
    bars("footprint-cpu-idle", "Processor time when nothing happens", "CPU seconds per hour"),
    bars(
      "footprint-cpu-standard-load",
      "Processor time under the standard load",
      "CPU seconds per hour",
    ),
  ],
  async run(progress, { mode, loadMinutes }) {
    const reason = whyNotHere();
    if (reason !== undefined) return skipped(reason);
    const folder = mkdtempSync(join(tmpdir(), "gatewarden-peers-"));
    try {
      const subjects = subjectsOf(mode, folder);
      const rounds = roundsOf(mode, loadMinutes);
      const measured = await measureAll(subjects, rounds, progress);
      const bare = measured.find(({ name }) => name === BARE_NODE.name);
      if (bare === undefined) return skipped("the bare Node process ended");
      const request = {
        ...rounds.first,
        subject: { kind: "program", program: BARE_NODE.program },
      } as const;
      const figures = measured.flatMap((one) => figuresOf(one, bare, request));
      if (mode === "check") return figures;
      progress("single calls and sizes");
      return [
        ...figures,
        ...classicAgent(),
        ...oneShots(mode === "full" ? 21 : 5),
        ...sizes(),
        ...notes(subjects),
      ];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function roundsOf(mode: RunOptions["mode"], loadMinutes: number | undefined): Rounds {
  const rounds = MODES[mode];
  if (loadMinutes === undefined || mode === "check") return rounds;
  return { ...rounds, first: { ...rounds.first, acceleratedSeconds: loadMinutes * 60 } };
}

function bars(id: string, title: string, yLabel: string) {
  return { id, title, kind: "bars", xLabel: "", yLabel } as const;
}

function whyNotHere(): string | undefined {
  if (!existsSync(`${ROOT}dist/gatewarden.js`)) return "npm run build comes first";
  return whyNoNamespaces();
}

function subjectsOf(mode: RunOptions["mode"], folder: string): readonly Subject[] {
  const transports: readonly TransportName[] =
    mosquittoMissing === undefined ? ["iothub", "iothub-sdk", "mqtt"] : ["iothub", "iothub-sdk"];
  const programs = mode === "check" ? [BARE_NODE] : [BARE_NODE, ...peerPrograms(folder)];
  return [
    ...transports.map((transport) => ({
      name: `Gatewarden, ${transport}`,
      transport,
      subject: { kind: "agent", transport } as const,
    })),
    ...programs.map(({ name, program }) => ({
      name,
      subject: { kind: "program", program } as const,
    })),
  ];
}

function notes(subjects: readonly Subject[]): readonly Figure[] {
  const absent = [
    ...(mosquittoMissing === undefined ? [] : [`Gatewarden, mqtt: ${mosquittoMissing}`]),
    ...["node-exporter", "collectd"]
      .filter((peer) => !subjects.some(({ name }) => name.startsWith(peer)))
      .map((peer) => `${peer}: sh benchmarks/install-peers.sh fetches it`),
  ];
  return [
    ...absent.map((how) => ({ what: "left out", value: "-", how })),
    {
      what: "process events",
      value: "not in these figures",
      how: "the kernel tells of executions only in the first namespaces: see live-events, in a virtual machine",
    },
  ];
}

/** All subjects of a round run at the same time, each in namespaces of its own. */
async function measureAll(
  subjects: readonly Subject[],
  rounds: Rounds,
  progress: (line: string) => void,
): Promise<readonly Measured[]> {
  const all = new Map<Subject, FootprintReply[]>(subjects.map((subject) => [subject, []]));
  for (let round = 0; round < rounds.count; round += 1) {
    const request = round === 0 ? rounds.first : rounds.others;
    progress(`round ${round + 1} of ${rounds.count}`);
    const replies = await Promise.all(
      subjects.map(
        async (one) => [one, await drive({ ...request, subject: one.subject })] as const,
      ),
    );
    for (const [one, reply] of replies) all.get(one)?.push(reply);
  }
  return [...all].map(([{ name, transport }, replies]) => ({
    name,
    rounds: replies,
    ...(transport === undefined ? {} : { transport }),
  }));
}

function drive(request: FootprintRequest): Promise<FootprintReply> {
  const driver = ["--import", "tsx", `${ROOT}benchmarks/footprint/driver.ts`];
  const [file = "", ...args] = [...OWN_NAMESPACES, process.execPath, ...driver];
  const child = spawn(file, [...args, JSON.stringify(request)], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code !== 0) reject(new Error(`the driver ended with ${String(code)}`));
      else resolve(JSON.parse(Buffer.concat(chunks).toString("utf8")));
    });
  });
}
