import { markdownTable } from "../parse/markdown-table.ts";
import { plainText } from "../parse/plain-text.ts";
import { compareIds, orderedRecommendations, totalsOf } from "./finding.ts";
import { endpointText, isCounted, lookText, recordText, skippedTexts } from "./record-text.ts";
import {
  type Fact,
  type HubReport,
  isScan,
  LEVELS,
  REACHES,
  type Report,
  type ReportedCheck,
  type ReportedRecommendation,
  type ReportedSocket,
  type ScanReport,
} from "./scan-report.ts";
import { summaryLine } from "./table-lines.ts";

/** Text of a device as plain words of Markdown: what would be markup or HTML is escaped. */
export function markdownPlain(text: string): string {
  return plainText(text, 500)
    .replace(/[\\`*_{}[\]()#+!|~<>]/g, "\\$&")
    .replace(/&/g, "&amp;")
    .replace(/^[-=]/, "\\$&")
    .replace(/^(\d+)\.(?=\s|$)/, "$1\\.")
    .replace(/(https?|ftp):/gi, "$1&#58;")
    .replace(/\b(www)\./gi, "$1&#46;")
    .replace(/@/g, "&#64;");
}

/** Text of a device as code; a back quote would end it. */
function code(text: string): string {
  const line = plainText(text, 500).replaceAll("`", "'");
  return line === "" ? "" : `\`${line}\``;
}

/** The report in Markdown, for tickets and wikis. */
export function markdownText(report: Report): string {
  const what = isScan(report) ? "Security scan of" : "Posture of the hub";
  return [
    `# ${what} ${markdownPlain(report.name)}`,
    summaryLine(report),
    ...(isScan(report) ? madeBy(report) : madeOf(report)),
    "## Recommendations",
    ...orderedRecommendations(report).flatMap(recommendation),
    ...(isScan(report) ? deviceParts(report) : hubParts(report)),
    ...list("## Could not be read", report.gaps),
  ]
    .join("\n\n")
    .concat("\n");
}

function deviceParts(report: ScanReport): readonly string[] {
  return [
    "## Exposure",
    ...exposure(report),
    "## OS baseline",
    ...baseline(report),
    ...accounts(report),
  ];
}

function hubParts(report: HubReport): readonly string[] {
  const rows = report.sources.map(({ name, records, skipped }) => [
    code(name),
    markdownPlain(records),
    String(skipped),
  ]);
  return [
    "## Records",
    markdownTable(["Source", "Records", "Skipped"], rows),
    ...list("## Skipped records", skippedTexts(report)),
  ];
}

function madeOf({ made, device }: HubReport): readonly string[] {
  return [
    factTable([
      ...device,
      { label: "Read from", text: made.isLive ? "the services of Azure" : "saved files" },
      { label: "At", text: made.at },
      { label: "By", text: `Gatewarden ${made.version}` },
    ]),
  ];
}

function factTable(facts: readonly Fact[]): string {
  return markdownTable(
    ["", ""],
    facts.map(({ label, text }) => [label, code(text)]),
  );
}

function madeBy({ made, device }: ScanReport): readonly string[] {
  const facts = [
    ...device,
    { label: "Scanned", text: made.isLive ? "this device" : `the root in ${made.root}` },
    { label: "At", text: made.at },
    { label: "As root", text: made.isRoot ? "yes" : "no, so some things could not be read" },
    { label: "By", text: `Gatewarden ${made.version}` },
  ];
  return [factTable(facts)];
}

const STATE_WORDS = { unhealthy: "unhealthy", unknown: "unknown", healthy: "healthy" } as const;

function recommendation(one: ReportedRecommendation): readonly string[] {
  const title = `### ${markdownPlain(one.title)}: ${STATE_WORDS[one.state]}`;
  const head = `${code(one.type)}, ${one.level}${one.state === "unhealthy" ? `, ${one.count} found` : ""}`;
  const counted = one.evidence.filter((record) => isCounted(one, record));
  const shown = one.type === "IoT_Baseline" ? [] : counted;
  return [
    title,
    head,
    ...(one.state === "unhealthy" ? [markdownPlain(one.description)] : []),
    ...bullets(shown.map((record) => code(recordText(record)))),
    ...bullets(one.missing.map((text) => `not known: ${code(text)}`)),
    ...(one.state === "unhealthy" ? [`**What to do:** ${markdownPlain(one.remediation)}`] : []),
  ];
}

function bullets(texts: readonly string[]): readonly string[] {
  return texts.length === 0 ? [] : [texts.map((text) => `- ${text}`).join("\n")];
}

function exposure({ exposure: map }: ScanReport): readonly string[] {
  const firewall = `Firewall: ${code(map.firewall.summary)}${map.firewall.isComplete ? "" : " (not all of it could be read)"}.`;
  const sockets = [...map.sockets].sort(
    (a, b) => REACHES.indexOf(a.reach) - REACHES.indexOf(b.reach) || a.port - b.port,
  );
  if (sockets.length === 0)
    return [firewall, "No socket waits for connections, or none could be seen."];
  const rows = sockets.map((socket) => [
    code(`${socket.protocol} ${endpointText(socket.address, socket.port)}`),
    code(socket.process ?? ""),
    reachText(socket),
    code(socket.because ?? ""),
  ]);
  return [firewall, markdownTable(["Socket", "Process", "Reached from", "Because"], rows)];
}

/** From where a socket can be reached, in words. */
function reachText({ reach, isBlocked, isAllowed }: ReportedSocket): string {
  const words = {
    internet: "internet",
    networks: "networks",
    unknown: "not known",
    containers: "containers",
    device: isBlocked ? "this device (firewall blocks others)" : "this device",
  };
  return `${words[reach]}${isAllowed ? " (allowed)" : ""}`;
}

function baseline(report: ScanReport): readonly string[] {
  const { checks } = totalsOf(report);
  const totals = `${checks.passed} passed, ${checks.failed} failed, ${checks.error} ${checks.error === 1 ? "error" : "errors"}, ${checks["not-applicable"]} not applicable, ${checks.manual} for a person, ${checks.waived} waived.`;
  const bad = report.baseline.checks
    .filter(({ standing }) => standing === "failed" || standing === "error")
    .sort(bySeverity);
  const rows = bad.map((check) => [
    code(check.id),
    check.standing === "error" ? "error" : check.level,
    markdownPlain(check.title),
  ]);
  const skipped = report.baseline.skipped.map(
    ({ reason, ids }) => `not judged, ${markdownPlain(reason)}: ${ids.map(code).join(", ")}`,
  );
  return [
    totals,
    ...(rows.length === 0 ? [] : [markdownTable(["Check", "Level", "What should be so"], rows)]),
    ...bad.flatMap(check),
    ...bullets(skipped),
  ];
}

function bySeverity(a: ReportedCheck, b: ReportedCheck): number {
  return LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level) || compareIds(a.id, b.id);
}

function check(one: ReportedCheck): readonly string[] {
  const why = [...(one.reason === undefined ? [] : [one.reason]), ...one.evidence.map(lookText)];
  const [what = "", ...how] = one.remediation.split("\n").map((text) => plainText(text, 500));
  return [
    `### ${markdownPlain(one.id)} ${markdownPlain(one.title)}`,
    ...bullets(why.map(code)),
    ...(one.standing === "failed" ? [`**What to do:** ${markdownPlain(what)}`] : []),
    ...(one.standing === "failed" && how.length > 0
      ? [how.map((text) => `    ${text}`).join("\n")]
      : []),
  ];
}

function accounts({ users, hardware }: ScanReport): readonly string[] {
  const rows = users.map((user) => [
    code(user.name),
    user.userId,
    markdownPlain(user.canLogIn),
    user.isAdministrator ? "yes" : "no",
    markdownPlain(user.keys),
  ]);
  const devices = hardware.map(({ category, kind, name }) => `${category}: ${kind}: ${name}`);
  return [
    ...(rows.length === 0
      ? []
      : [
          "## Accounts that can log in",
          markdownTable(["Account", "Id", "Log in", "Administrator", "Keys"], rows),
        ]),
    ...list("## Hardware", devices),
  ];
}

function list(title: string, texts: readonly string[]): readonly string[] {
  return texts.length === 0 ? [] : [title, ...bullets(texts.map(code))];
}
