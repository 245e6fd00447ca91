import type { CheckEvidence, HubReport, ReportedRecommendation } from "./scan-report.ts";

type EvidenceRecord = Readonly<Record<string, string>>;

/** One record of evidence as a line for people. */
export function recordText(record: EvidenceRecord): string {
  const socket = socketText(record);
  if (socket !== undefined) return socketLine(socket, record);
  if (record["direction"] !== undefined) return policyLine(record);
  if (record["rule"] !== undefined) return ruleLine(record);
  if (record["devices"] !== undefined) return devicesLine(record);
  return fieldsText(record);
}

/** `module press, value true: gw-01, gw-02 and 9 more (11)` */
function devicesLine({ devices, count, ...rest }: EvidenceRecord): string {
  const number = count === undefined || count === "1" ? "" : ` (${count})`;
  return `${fieldsText(rest)}: ${devices ?? ""}${number}`;
}

function fieldsText(record: EvidenceRecord): string {
  return Object.entries(record)
    .map(([name, text]) => `${wordsOf(name)} ${text}`)
    .join(", ");
}

/** `tcp 0.0.0.0:22, sshd (ssh.service), reachable from any by eth0; decided by INPUT: policy accept` */
function socketLine(socket: string, record: EvidenceRecord): string {
  const { process, executable, unit, container, exposure, sources, interfaces } = record;
  const who = process ?? executable;
  const where = [unit, container === undefined ? undefined : `container ${container}`]
    .filter((text) => text !== undefined)
    .join(", ");
  const from = sources === undefined ? "" : ` from ${sources}`;
  const by = interfaces === undefined ? "" : ` by ${interfaces}`;
  const decides = record["rule"] ?? record["reason"];
  const to = record["arrivesAt"];
  return [
    socket,
    who === undefined ? ", process not known" : `, ${who}`,
    where === "" ? "" : ` (${where})`,
    exposure === undefined ? "" : `, ${exposure}${from}${by}`,
    to === undefined ? "" : `, sent on to ${to}`,
    record["isAllowed"] === "true" ? ", allowed" : "",
    decides === undefined ? "" : `; ${decides}`,
  ].join("");
}

/** `input ipv4: accept by default; nftables inet filter, chain input, policy accept` */
function policyLine(record: EvidenceRecord): string {
  const { direction, family, backend, table, chain, policy, decidedBy, reason } = record;
  const place = [backend, table, chain === undefined ? undefined : `chain ${chain}`]
    .filter((text) => text !== undefined)
    .join(" ");
  const decides = decidedBy ?? (policy === undefined ? reason : `policy ${policy}`);
  const head = `${direction ?? ""} ${family ?? ""}: ${record["default"] ?? "unknown"} by default`;
  return [head, place, decides].filter((text) => text !== undefined && text !== "").join("; ");
}

/** `nftables inet filter, chain input, rule 3: wide addresses; tcp dport 22 accept` */
function ruleLine(record: EvidenceRecord): string {
  const { backend, family, table, chain, position, wide, rule } = record;
  const place = [backend, family, table].filter((text) => text !== undefined).join(" ");
  const at = position === undefined ? "" : `, rule ${position}`;
  const what = wide === undefined ? "" : `: wide ${wide}`;
  return `${place}, chain ${chain ?? "?"}${at}${what}; ${rule ?? ""}`;
}

function socketText({ protocol, address, port }: EvidenceRecord): string | undefined {
  if (protocol === undefined || address === undefined || port === undefined) return undefined;
  return `${protocol} ${endpointText(address, port)}`;
}

/** `192.0.2.1:22`, `[::]:22`. */
export function endpointText(address: string, port: number | string): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Records of a hub that were left out, one line each, and how many more there are. */
export function skippedTexts({ skipped }: Pick<HubReport, "skipped">): readonly string[] {
  const rest = skipped.count - skipped.records.length;
  return [
    ...skipped.records.map(
      ({ source, subject, reason }) => `record skipped: ${source}: ${subject}: ${reason}`,
    ),
    ...(rest > 0 ? [`${rest} more records skipped`] : []),
  ];
}

/** `decidedBy` → `decided by`. */
export function wordsOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** A look of a check as a line for people. */
export function lookText({ source, expected, found, state }: CheckEvidence): string {
  const now = state === undefined ? "" : ` (${state})`;
  return `${source}${now}: expected ${expected}, found ${found}`;
}

/** The look that says most in one line: the first that did not find what was expected. */
export function tellingLook(looks: readonly CheckEvidence[]): CheckEvidence | undefined {
  return looks.find(({ expected, found }) => expected !== found) ?? looks[0];
}

/** Whether a record is one of the things that are wrong, and not information beside them. */
export function isCounted(
  { type, state }: Pick<ReportedRecommendation, "type" | "state">,
  record: EvidenceRecord,
): boolean {
  if (state !== "unhealthy") return false;
  if (type === "IoT_OpenPorts")
    return record["exposure"] === "reachable" && record["isAllowed"] !== "true";
  if (type === "IoT_PermissiveFirewallPolicy")
    return record["direction"] !== "forward" && record["default"] === "accept";
  return true;
}
