/** Figures out of what the drivers measured. */
import type { Figure, Measurement, Unit } from "../benchmark.ts";
import { absolute, ratio } from "../figures.ts";
import type { FootprintReply, FootprintRequest, TransportName, Window } from "./contract.ts";

/** All rounds of one subject; the first one has the loads. */
export interface Measured {
  readonly name: string;
  readonly transport?: TransportName;
  readonly rounds: readonly FootprintReply[];
}

const RSS_LIMITS: Readonly<Record<TransportName, number>> = {
  iothub: 1.3,
  "iothub-sdk": 1.5,
  mqtt: 1.3,
};
const AFTER_LOAD_LIMIT = 1.5;
const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;
/** 0.1 % of a core, in CPU seconds per hour. */
const IDLE_CPU_LIMIT = 3.6;
const LOAD_CPU_LIMIT = 36;
const KEEP_ALIVE_SECONDS = 240;
/** 5 per second. */
const WAKE_UPS_LIMIT = 18_000;

export const COMMANDS = {
  agent: "gatewarden run, with the flags of systemd/gatewarden.service",
  idle: "after the first snapshot, nothing happens",
};

/** Figures of one subject; `bare` is what ratios are to. */
export function figuresOf(
  subject: Measured,
  bare: Measured,
  request: FootprintRequest,
): readonly Figure[] {
  const [first] = subject.rounds;
  if (first === undefined) return [];
  return [
    ...memoryFigures(subject, bare),
    ...activityFigures(subject, "idle", first.idle, {
      cpu: subject.transport === undefined ? undefined : IDLE_CPU_LIMIT,
      wakeUps: subject.transport === undefined ? undefined : WAKE_UPS_LIMIT,
    }),
    ...(first.load === undefined
      ? []
      : activityFigures(subject, "standard load", first.load, {
          cpu: subject.transport === undefined ? undefined : LOAD_CPU_LIMIT,
          wakeUps: undefined,
        })),
    ...startFigures(subject, first),
    ...accelerationFigures(subject, bare, request),
  ];
}

interface Told {
  readonly limit?: number | undefined;
  readonly chart?: string;
  readonly command?: string;
}

/** A figure with its place in the table of comparisons. */
function tell(
  { name, transport }: Measured,
  row: string,
  unit: Unit,
  values: readonly number[],
  told: Told = {},
): Measurement {
  const { limit, chart, command } = told;
  const x = transport === undefined ? 1 : 0;
  return absolute({
    name: `${name}: ${row}`,
    unit,
    values,
    command: command ?? (transport === undefined ? name : COMMANDS.agent),
    cell: { row, column: name },
    ...(limit === undefined ? {} : { limit }),
    ...(chart === undefined ? {} : { point: { chart, line: name, x } }),
  });
}

function memoryFigures(subject: Measured, bare: Measured): readonly Figure[] {
  const { name, transport, rounds } = subject;
  const idle = rounds.map((round) => round.idle);
  const heaps = idle.flatMap(({ heapBytes }) => heapBytes ?? []);
  const allOf = (one: Measured, pick: "rss" | "private"): readonly number[] =>
    one.rounds.map((round) => round.idle.memory[pick]);
  const windows = rounds.flatMap(({ idle: first, load, accelerated }) =>
    [first, load, accelerated].flatMap((window) => window ?? []),
  );
  const ratios =
    transport === undefined
      ? []
      : [
          ratio({
            name: `${name}: idle RSS / bare Node`,
            command: COMMANDS.agent,
            better: "lower",
            of: allOf(subject, "rss"),
            to: allOf(bare, "rss"),
            limit: RSS_LIMITS[transport],
            isChecked: true,
            cell: { row: "idle RSS / bare Node", column: name },
          }),
          // RSS counts pages of files as well, which the kernel can drop and read again: this does not.
          ratio({
            name: `${name}: idle private memory / bare Node`,
            command: COMMANDS.agent,
            better: "lower",
            of: allOf(subject, "private"),
            to: allOf(bare, "private"),
            isChecked: true,
            cell: { row: "idle private memory / bare Node", column: name },
          }),
        ];
  return [
    ...ratios,
    tell(subject, "idle RSS", "bytes", allOf(subject, "rss"), { chart: "footprint-memory" }),
    tell(
      subject,
      "idle PSS",
      "bytes",
      idle.map(({ memory }) => memory.pss),
    ),
    tell(
      subject,
      "idle private memory",
      "bytes",
      idle.map(({ memory }) => memory.private),
    ),
    ...(heaps.length === 0 ? [] : [tell(subject, "idle heap in use", "bytes", heaps)]),
    tell(subject, "peak RSS", "bytes", [Math.max(...windows.map(({ memory }) => memory.peak))]),
  ];
}

function activityFigures(
  subject: Measured,
  when: string,
  { parts, partSeconds, traffic, seconds }: Window,
  limits: { readonly cpu: number | undefined; readonly wakeUps: number | undefined },
): readonly Figure[] {
  // Timers of minutes fall into one part or another: what counts is the whole window.
  const whole = (pick: (part: Window["parts"][number]) => number): number =>
    parts.reduce((sum, part) => sum + pick(part), 0);
  const command = `${when}, scaled from ${seconds} s in ${parts.length} parts of ${partSeconds} s`;
  const scaled = (
    row: string,
    unit: Unit,
    pick: (part: Window["parts"][number]) => number,
    told: Told,
  ): Measurement => ({
    ...tell(
      subject,
      row,
      unit,
      parts.map((part) => (pick(part) * HOUR_SECONDS) / partSeconds),
      { ...told, command },
    ),
    median: (whole(pick) * HOUR_SECONDS) / seconds,
  });
  // A shorter one may hold no sign of life at all.
  const hasTraffic = subject.transport !== undefined && seconds >= KEEP_ALIVE_SECONDS;
  return [
    scaled(`${when}: CPU per hour`, "s", ({ cpuMs }) => cpuMs / 1_000, {
      limit: limits.cpu,
      chart: `footprint-cpu-${when.replace(" ", "-")}`,
    }),
    scaled(`${when}: wake-ups per hour`, "per hour", ({ wakeUps }) => wakeUps, {
      limit: limits.wakeUps,
    }),
    ...(hasTraffic
      ? [
          tell(
            subject,
            `${when}: bytes inside TCP per day`,
            "bytes per day",
            [((traffic.sentBytes + traffic.receivedBytes) * DAY_SECONDS) / seconds],
            { command },
          ),
        ]
      : []),
  ];
}

function startFigures(subject: Measured, { starts }: FootprintReply): readonly Figure[] {
  if (starts.length === 0) return [];
  const command = `${COMMANDS.agent}, from its start, with an empty state folder`;
  return [
    tell(
      subject,
      "start to first event",
      "ms",
      starts.map(({ firstEventMs }) => firstEventMs),
      {
        command,
      },
    ),
    tell(
      subject,
      "start to connected",
      "ms",
      starts.map(({ connectedMs }) => connectedMs),
      {
        command,
      },
    ),
  ];
}

/** Figures of the hours that went by faster. */
function accelerationFigures(
  subject: Measured,
  bare: Measured,
  { speed }: FootprintRequest,
): readonly Figure[] {
  const fast = subject.rounds[0]?.accelerated;
  if (fast === undefined) return [];
  const { name } = subject;
  const minutes = fast.seconds / 60;
  const command = `${minutes.toFixed(0)} min of the standard load at ${speed} times its speed, with intervals as many times shorter`;
  const row = `after ${((minutes * speed) / 60).toFixed(1)} hours of load`;
  const perDay = (count: number): number => (count * DAY_SECONDS) / (fast.seconds * speed);
  const disk = fast.parts.reduce((sum, { diskBytes }) => sum + diskBytes, 0);
  const late = fast.curve.filter(({ seconds }) => seconds >= fast.seconds / 2);
  const hasHub = fast.traffic.messages > 0;
  return [
    ratio({
      name: `${name}: RSS / bare Node, ${row}`,
      command,
      better: "lower",
      of: late.map(({ rss }) => rss),
      to: bare.rounds.map((round) => round.idle.memory.rss),
      limit: AFTER_LOAD_LIMIT,
      cell: { row: `RSS / bare Node, ${row}`, column: name },
    }),
    tell(
      subject,
      `RSS, ${row}`,
      "bytes",
      late.map(({ rss }) => rss),
      {
        command,
        chart: "footprint-memory-loaded",
      },
    ),
    ...(fast.heapBytes === undefined
      ? []
      : [tell(subject, `heap in use, ${row}`, "bytes", [fast.heapBytes], { command })]),
    tell(subject, "RSS growth in the second half", "bytes per hour", [slopePerHour(late)], {
      command: `${command}; slope by least squares, per hour of the clock`,
    }),
    ...(hasHub
      ? [
          tell(subject, "messages per day of load", "per day", [perDay(fast.traffic.messages)], {
            command,
          }),
          tell(subject, "metered units per day of load", "per day", [perDay(fast.traffic.units)], {
            command,
          }),
        ]
      : []),
    tell(
      subject,
      "bytes inside TCP per day of load",
      "bytes per day",
      [perDay(fast.traffic.sentBytes + fast.traffic.receivedBytes)],
      { command },
    ),
    tell(subject, "bytes to disk per day of load", "bytes per day", [perDay(disk)], {
      command: `${command}; write_bytes of /proc/PID/io`,
    }),
  ];
}

function slopePerHour(
  points: readonly { readonly seconds: number; readonly rss: number }[],
): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const meanX = mean(points.map(({ seconds }) => seconds));
  const meanY = mean(points.map(({ rss }) => rss));
  const across = points.reduce((sum, { seconds }) => sum + (seconds - meanX) ** 2, 0);
  const along = points.reduce(
    (sum, { seconds, rss }) => sum + (seconds - meanX) * (rss - meanY),
    0,
  );
  return across === 0 ? 0 : (along / across) * HOUR_SECONDS;
}
