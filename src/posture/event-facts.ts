import type { PayloadItem } from "../contract/event.ts";
import { isJsonObject } from "../contract/json.ts";
import { addressFamily } from "../parse/addresses.ts";
import type { BaselineResult } from "./recommendations/baseline.ts";
import type { ListeningSocket } from "./recommendations/listening-socket.ts";

/** Kernel states of a socket that waits for strangers. Source: include/net/tcp_states.h */
const LISTEN = 10;
const CLOSE = 7;

type Details = Readonly<Record<string, string>>;

function textIn(item: PayloadItem, name: string): string {
  const value = item[name];
  return typeof value === "string" ? value : "";
}

function detailsOf(item: PayloadItem): Details {
  const details = item["ExtraDetails"];
  return isJsonObject(details) ? details : {};
}

/** The sockets of a ListeningPorts event. Items of another form are left out. */
export function socketsOfEvent(items: readonly PayloadItem[]): readonly ListeningSocket[] {
  return items.flatMap((item) => {
    const protocol = textIn(item, "Protocol").startsWith("udp") ? "udp" : "tcp";
    const localAddress = textIn(item, "LocalAddress");
    const localPort = Number(textIn(item, "LocalPort"));
    const family = addressFamily(localAddress);
    if (family === undefined || !Number.isInteger(localPort)) return [];
    const details = detailsOf(item);
    const bound = details["Interface"];
    // Of several interfaces, or one without a name, only that it is bound is known.
    const interfaceName = bound === undefined || /[;:]/.test(bound) ? undefined : bound;
    return [
      {
        socket: {
          protocol,
          family,
          state: protocol === "tcp" ? LISTEN : CLOSE,
          localAddress,
          localPort,
          remoteAddress: family === "ipv6" ? "::" : "0.0.0.0",
          remotePort: 0,
          userId: Number(details["UserId"] ?? 0),
          inode: Number(details["Inode"] ?? 0),
          interfaceIndex: bound === undefined ? 0 : 1,
        },
        ...(interfaceName === undefined ? {} : { interfaceName }),
        ...processOf(details),
      },
    ];
  });
}

function processOf(details: Details): Pick<ListeningSocket, "process"> {
  const { Pid, ProcessName, Executable, Unit, Container, ContainerRuntime } = details;
  if (Pid === undefined) return {};
  const container = { runtime: ContainerRuntime ?? "", id: Container ?? "" };
  return {
    process: {
      processId: Number(Pid),
      name: ProcessName,
      executable: Executable,
      unit: Unit,
      container: Container === undefined ? undefined : container,
    },
  };
}

const SEVERITIES = ["Critical", "Important", "Warning", "Informational"] as const;
const SUMMARY_ID = "Gatewarden-Summary";

/**
 * The results of an OSBaseline event. Every run tells all failures and errors; of what passed or is waived
 * the summary of the run has the number, so results without a name stand for those.
 */
export function baselineOfEvent(items: readonly PayloadItem[]): readonly BaselineResult[] {
  return items.flatMap((item): readonly BaselineResult[] => {
    const cceId = textIn(item, "CceId");
    if (cceId === SUMMARY_ID) return countedOnly(detailsOf(item));
    const result = textIn(item, "Result");
    if (result !== "Fail" && result !== "Err") return [];
    const severity = SEVERITIES.find((one) => one === textIn(item, "Severity"));
    return [
      {
        ruleId: /^CIS-.*-(\d+(?:\.\d+)*)$/.exec(cceId)?.[1] ?? cceId,
        title: textIn(item, "Description"),
        verdict: result === "Fail" ? "fail" : "error",
        severity: severity ?? "Informational",
        isWaived: false,
      },
    ];
  });
}

/** More checks than there can be. */
const MOST_COUNTED = 1_000;

function countedOnly(details: Details): readonly BaselineResult[] {
  const many = (name: string): number => {
    const count = Number(details[name] ?? 0);
    return Number.isInteger(count) ? Math.min(Math.max(count, 0), MOST_COUNTED) : 0;
  };
  const base = { ruleId: "", title: "", severity: "Informational" } as const;
  return [
    ...Array<BaselineResult>(many("Passed")).fill({ ...base, verdict: "pass", isWaived: false }),
    ...Array<BaselineResult>(many("Waived")).fill({ ...base, verdict: "fail", isWaived: true }),
  ];
}
