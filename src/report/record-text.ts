import type { CheckEvidence, ReportedRecommendation } from "./scan-report.ts";

type EvidenceRecord = Readonly<Record<string, string>>;

/** Fields that say where: they come first, and need no name beside them. */
const PLACE = ["protocol", "address", "port", "direction", "family", "backend", "table", "chain"];

/** One record of evidence as a line for people. */
export function recordText(record: EvidenceRecord): string {
  const entries = Object.entries(record);
  const socket = socketText(record);
  const place = socket ?? "";
  const rest = entries.filter(
    ([name]) => socket === undefined || !["protocol", "address", "port"].includes(name),
  );
  const texts = rest.map(([name, text]) =>
    PLACE.includes(name) && socket === undefined ? text : `${wordsOf(name)} ${text}`,
  );
  return [place, ...texts].filter((text) => text !== "").join(", ");
}

function socketText({ protocol, address, port }: EvidenceRecord): string | undefined {
  if (protocol === undefined || address === undefined || port === undefined) return undefined;
  return `${protocol} ${endpointText(address, port)}`;
}

/** `192.0.2.1:22`, `[::]:22`. */
export function endpointText(address: string, port: number | string): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
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
