import type { DiagnosticFinding } from "../contract/agent-facts.ts";
import type { EventDraft } from "../contract/event.ts";
import type { TransportStatus } from "../contract/transport.ts";
import type { Terminal } from "./terminal.ts";

/** One acknowledged message, as the view shows it. */
export interface SentLine {
  readonly meteredBytes: number;
  readonly units: number;
  readonly fillRatio: number;
  readonly events: readonly { readonly name: string; readonly count: number }[];
  readonly reason: string;
  readonly latencyMs: number;
}

/** Turns what the agent does into lines for a person. Holds the totals of the summary. */
export interface DemoView {
  collected(drafts: readonly EventDraft[]): void;
  sent(line: SentLine): void;
  found(finding: DiagnosticFinding): void;
  status(status: TransportStatus): void;
  note(text: string): void;
  readonly messages: number;
  /** Lines of the summary. */
  summary(elapsedMs: number): readonly string[];
}

const NOUNS: Readonly<Record<string, string>> = {
  ListeningPorts: "listening sockets",
  LocalUsers: "users",
  FirewallConfiguration: "rules and policies",
  ConnectedHardware: "devices",
  OSBaseline: "checks",
  SystemInformation: "system record",
  MessageStatistics: "record",
  DroppedEventsStatistics: "queues",
  Diagnostic: "finding",
  ConfigurationError: "finding",
};

export function createDemoView(terminal: Terminal, clockText: () => string): DemoView {
  const totals = new Map<string, number>();
  let messages = 0;
  let bytes = 0;
  let units = 0;
  let small = 0;

  function line(tag: string, text: string): void {
    terminal.print(`${terminal.paint("grey", clockText())}  ${tag}  ${text}`);
  }

  return {
    collected(drafts) {
      for (const draft of drafts) {
        // A finding has a line of its own, in full.
        if (draft.name === "Diagnostic") continue;
        const noun = NOUNS[draft.name] ?? "items";
        const text = `${draft.name}: ${draft.payload.length} ${noun}${example(draft)}`;
        line(terminal.paint("cyan", "collected"), clip(text, terminal.columns - 24));
      }
    },
    sent(sent) {
      messages += 1;
      bytes += sent.meteredBytes;
      units += sent.units;
      if (sent.meteredBytes < 4096) small += 1;
      for (const { name, count } of sent.events) totals.set(name, (totals.get(name) ?? 0) + count);
      const names = sent.events.map(({ name, count }) => `${name} ${count}`).join(", ");
      const plural = sent.units === 1 ? "unit " : "units";
      const text = [
        `${groups(sent.meteredBytes).padStart(8)} bytes`,
        `${String(sent.units).padStart(2)} ${plural} of 4 KB`,
        `${String(Math.round(sent.fillRatio * 100)).padStart(3)} % full`,
        names,
        terminal.paint(
          "grey",
          `(${sent.reason}, acknowledged in ${Math.round(sent.latencyMs)} ms)`,
        ),
      ].join("  ");
      line(terminal.paint("green", "message  "), text);
    },
    found(finding) {
      const colour = finding.severity === "Information" ? "grey" : "yellow";
      line(terminal.paint(colour, "finding  "), finding.message);
    },
    status(status) {
      if (status.state === "disconnected") {
        const text = `${status.detail}; ${status.remedy}; next try in ${Math.round(status.retryInMs / 1000)} s`;
        line(terminal.paint("red", "offline  "), text);
      } else line(terminal.paint("grey", "hub      "), status.state);
    },
    note: (text) => line(terminal.paint("bold", "note     "), text),
    get messages() {
      return messages;
    },
    summary(elapsedMs) {
      const seconds = Math.round(elapsedMs / 1000);
      const fill = units === 0 ? 0 : Math.round((bytes / (units * 4096)) * 100);
      return [
        "",
        terminal.paint("bold", `Summary of ${seconds} s`),
        `  messages acknowledged  ${messages} (${small} under 4096 bytes)`,
        `  bytes, 4 KB units      ${groups(bytes)} in ${units}, ${fill} % full`,
        ...[...totals]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, count]) => `  ${name.padEnd(22)} ${count}`),
      ];
    },
  };
}

/** A word on what the event holds, so that a person sees real data at a glance. */
function example(draft: EventDraft): string {
  const shown = draft.payload.slice(0, 4).map((item) => {
    if (draft.name === "ListeningPorts") {
      const address = String(item["LocalAddress"] ?? "");
      const host = address.includes(":") ? `[${address}]` : address;
      return `${String(item["Protocol"])} ${host}:${String(item["LocalPort"])}`;
    }
    if (draft.name === "LocalUsers") return String(item["UserName"]);
    if (draft.name === "FirewallConfiguration") {
      return `${String(item["ChainName"] ?? "unknown")} ${String(item["Action"])}`;
    }
    if (draft.name === "ConnectedHardware") return String(item["HardwareName"]);
    if (draft.name === "SystemInformation") {
      return [item["OSName"], item["OSVersion"], item["OsArchitecture"]].filter(Boolean).join(" ");
    }
    if (draft.name === "Diagnostic" || draft.name === "ConfigurationError") {
      return String(item["Message"]);
    }
    return "";
  });
  const text = shown.filter((part) => part !== "").join(", ");
  const more = draft.payload.length > 4 ? ", …" : "";
  return text === "" ? "" : ` (${text}${more})`;
}

function clip(text: string, width: number): string {
  const room = Math.max(width, 40);
  return text.length <= room ? text : `${text.slice(0, room - 1)}…`;
}

function groups(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, " ");
}
