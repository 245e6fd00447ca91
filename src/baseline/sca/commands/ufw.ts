import type { Device } from "../../device.ts";
import {
  type CommandOutput,
  needsRunningDevice,
  notKnown,
  partlyPrinted,
  printedLines,
  unreadable,
} from "./output.ts";

const WORDS: Readonly<Record<string, string>> = { ACCEPT: "allow", DROP: "deny", REJECT: "reject" };

/** Value of `KEY="value"`, in a file of shell assignments. */
function setting(text: string, key: string): string {
  return new RegExp(`^\\s*${key}\\s*=\\s*"?(\\w*)`, "m").exec(text)?.[1] ?? "";
}

function place(
  address: string,
  port: string,
  protocol: string,
  isV6: boolean,
  link: string | undefined,
): string {
  const isAny = address === "0.0.0.0/0" || address === "::/0";
  const numbered = port === "any" ? "" : protocol === "any" ? port : `${port}/${protocol}`;
  const plain = isAny
    ? numbered || "Anywhere"
    : `${address}${numbered === "" ? "" : ` ${numbered}`}`;
  const family = isV6 && isAny ? `${plain} (v6)` : plain;
  return link === undefined ? family : `${family} on ${link}`;
}

/** Rules as ufw keeps them beside those of iptables. Source: ufw, user.rules (tuples). */
function ruleLines(text: string, isV6: boolean, isVerbose: boolean): readonly string[] {
  return text.split("\n").flatMap((line) => {
    const [, tuple] = /^### tuple ### (.*)$/.exec(line.slice(0, 1000)) ?? [];
    if (tuple === undefined) return [];
    const [action = "", protocol = "", port = "", to = "", fromPort = "", from = "", ...rest] =
      tuple.replace(/ comment=\S+$/, "").split(" ");
    const [way = "in", link] = (rest[rest.length - 1] ?? "in").split("_", 2);
    const isIn = way === "in";
    const target = place(to, port, protocol, isV6, isIn ? link : undefined);
    const source = place(from, fromPort, protocol, isV6, isIn ? undefined : link);
    const word = action.replace(/_log(?:-all)?$/, "").toUpperCase();
    // Rules for what comes in are shown without the word, unless more is asked for.
    const verb = isIn && !isVerbose ? word : `${word} ${way.toUpperCase()}`;
    return [`${target.padEnd(26)} ${verb.padEnd(11)} ${source.padEnd(26)}`];
  });
}

function defaultsLine(text: string, isForwarding: boolean): string {
  const word = (key: string): string => WORDS[setting(text, key).toUpperCase()] ?? "deny";
  const routed = isForwarding ? word("DEFAULT_FORWARD_POLICY") : "disabled";
  return `Default: ${word("DEFAULT_INPUT_POLICY")} (incoming), ${word("DEFAULT_OUTPUT_POLICY")} (outgoing), ${routed} (routed)`;
}

/** ufw status and ufw status verbose. Active is what the kernel has chains of. Source: ufw(8). */
export function ufwCommand(args: readonly string[], device: Device): CommandOutput {
  const form = args.join(" ");
  if (form !== "status" && form !== "status verbose")
    return notKnown(`ufw ${form}: a form that is not known here`);
  if (!device.isLive) return needsRunningDevice("ufw");
  const { firewall } = device;
  if (firewall.state !== "value")
    return unreadable("the rule sets of the firewall were not asked for or cannot be read");
  const isActive = firewall.value.tables.some((table) =>
    table.chains.some((chain) => chain.name === "ufw-user-input"),
  );
  if (!isActive) return printedLines(["Status: inactive"]);
  const texts = ["/etc/default/ufw", "/etc/ufw/user.rules", "/etc/ufw/user6.rules"].map((path) =>
    device.text(path),
  );
  const broken = texts.find((text) => text.state === "unreadable");
  if (broken?.state === "unreadable") return unreadable(broken.reason);
  const [defaults = "", rules = "", rules6 = ""] = texts.map((text) =>
    text.state === "value" ? text.value : "",
  );
  const forwarding = device.text("/proc/sys/net/ipv4/ip_forward");
  const isForwarding = forwarding.state === "value" && forwarding.value.trim() === "1";
  const head =
    form === "status"
      ? ["Status: active"]
      : [
          "Status: active",
          "Logging: on (low)",
          defaultsLine(defaults, isForwarding),
          "New profiles: skip",
        ];
  const isVerbose = form !== "status";
  const list = [...ruleLines(rules, false, isVerbose), ...ruleLines(rules6, true, isVerbose)];
  const table =
    list.length === 0
      ? []
      : ["", `${"To".padEnd(26)} Action      From`, `${"--".padEnd(26)} ------      ----`, ...list];
  return partlyPrinted(
    [...head, ...table],
    [
      "active",
      "status",
      "default",
      "incoming",
      "outgoing",
      "routed",
      "allow",
      "deny",
      "reject",
      "anywhere",
    ],
  );
}
