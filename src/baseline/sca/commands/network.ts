import type {
  Firewall,
  FirewallBackend,
  FirewallChain,
  FirewallTable,
} from "../../../contract/firewall.ts";
import type { Device } from "../../device.ts";
import { type Fact, unreadableFact } from "../../fact.ts";
import { packages } from "../../facts/packages.ts";
import { iptablesChain } from "./iptables-list.ts";
import {
  type CommandOutput,
  type CommandTable,
  complained,
  needsRunningDevice,
  notKnown,
  partlyPrinted,
  printedLines,
  unreadable,
} from "./output.ts";
import { ufwCommand } from "./ufw.ts";

/** Kernel state numbers. Source: tcp_states.h. */
const LISTEN = 10;

function socketAddress(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** ss -lntu in any order of its letters. Source: ss(8). */
function ssCommand(args: readonly string[], device: Device): CommandOutput {
  const flags = args.join("").replaceAll("-", "");
  if (!/^[lntup46H]+$/.test(flags) || !flags.includes("l") || !flags.includes("n"))
    return notKnown(`ss ${args.join(" ")}: a form that is not known here`);
  if (!device.isLive) return needsRunningDevice("ss");
  const list = device.sockets();
  if (list.state !== "value") return unreadable("the sockets cannot be listed");
  const isWanted = (protocol: string): boolean =>
    flags.includes(protocol === "tcp" ? "t" : "u") || !/[tu]/.test(flags);
  const lines = list.value.sockets
    .filter((one) => isWanted(one.protocol))
    .map((one) => {
      const any = one.family === "ipv6" ? "[::]:*" : "0.0.0.0:*";
      const state = one.state === LISTEN ? "LISTEN" : "UNCONN";
      return `${one.protocol}   ${state} 0      0      ${socketAddress(one.localAddress, one.localPort)}      ${any}    `;
    });
  return partlyPrinted(
    ["Netid State  Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess", ...lines],
    [":", "listen", "tcp", "udp"],
  );
}

/** The rule sets; unreadable where nobody asked for them or they were not read whole. */
function rules(device: Device): Fact<Firewall> {
  const { firewall } = device;
  if (firewall.state === "missing")
    return unreadableFact("the rule sets of the firewall were not asked for");
  if (firewall.state === "value" && !firewall.value.isComplete)
    return unreadableFact("the rule sets of the firewall were not read whole");
  return firewall;
}

/** Source: nft(8), standard priority names. */
const PRIORITIES: ReadonlyMap<number, string> = new Map([
  [-300, "raw"],
  [-150, "mangle"],
  [-100, "dstnat"],
  [0, "filter"],
  [50, "security"],
  [100, "srcnat"],
]);

/** Keys that nft shows without the word `meta`. Source: nft(8), meta expressions. */
const UNQUALIFIED =
  /\bmeta (iif|oif|iifname|oifname|iiftype|oiftype|iifgroup|oifgroup|mark|skuid|skgid|cgroup|pkttype|cpu|ibrname|obrname)\b/g;

function nftChain(chain: FirewallChain): readonly string[] {
  const lines = [`\tchain ${chain.name} {`];
  if (chain.base !== undefined) {
    const { type, hook, priority, policy } = chain.base;
    lines.push(
      `\t\ttype ${type} hook ${hook} priority ${PRIORITIES.get(priority) ?? priority}; policy ${policy};`,
    );
  }
  for (const rule of chain.rules) lines.push(`\t\t${rule.text.replace(UNQUALIFIED, "$1")}`);
  return [...lines, "\t}"];
}

function nftTable(table: FirewallTable): readonly string[] {
  const chains = table.chains.flatMap((chain, index) => [
    ...(index > 0 ? [""] : []),
    ...nftChain(chain),
  ]);
  return [`table ${table.family} ${table.name} {`, ...chains, "}"];
}

/** nft list tables and nft list ruleset. Source: nft(8). */
function nftCommand(args: readonly string[], device: Device): CommandOutput {
  const form = args.join(" ");
  if (form !== "list tables" && form !== "list ruleset")
    return notKnown(`nft ${form}: a form that is not known here`);
  if (!device.isLive) return needsRunningDevice("nft");
  const firewall = rules(device);
  if (firewall.state !== "value")
    return unreadable(firewall.state === "missing" ? "" : firewall.reason);
  const tables = firewall.value.tables.filter((table) => table.backend !== "iptables-legacy");
  if (form === "list tables")
    return printedLines(tables.map((table) => `table ${table.family} ${table.name}`));
  const lines = tables.flatMap(nftTable);
  // Rules of iptables are shown in another language than they were read in, and sets are not shown.
  const hasOthers = tables.some((table) => table.backend === "iptables-nft");
  return hasOthers
    ? partlyPrinted(lines, ["hook", "policy", "table ", "chain "])
    : printedLines(lines);
}

/** The rule language behind `iptables` on this device. */
function backendOf(device: Device, program: string): FirewallBackend {
  const link = device.link(`/etc/alternatives/${program}`);
  return link.state === "value" && link.value.includes("legacy")
    ? "iptables-legacy"
    : "iptables-nft";
}

/** iptables -L and ip6tables -L, of all chains or one. Source: iptables(8). */
function iptablesCommand(program: "iptables" | "ip6tables") {
  return (args: readonly string[], device: Device): CommandOutput => {
    const [, wanted, isLong] =
      /^-L(?: ([A-Za-z][\w-]*))?((?: -v| -n| -nv| -vn)*)$/.exec(args.join(" ")) ?? [];
    if (isLong === undefined)
      return notKnown(`${program} ${args.join(" ")}: a form that is not known here`);
    if (!device.isLive) return needsRunningDevice(program);
    const firewall = rules(device);
    if (firewall.state !== "value")
      return unreadable(firewall.state === "missing" ? "" : firewall.reason);
    const backend = backendOf(device, program);
    const family = program === "iptables" ? "ip" : "ip6";
    const table = firewall.value.tables.find(
      (one) =>
        // nft shows the tables of iptables-nft among its own.
        (one.backend === backend || (backend === "iptables-nft" && one.backend === "nftables")) &&
        one.family === family &&
        one.name === "filter",
    );
    const own = table?.chains ?? [];
    // The chains of the kernel are there before anyone makes a table.
    const missing = ["INPUT", "FORWARD", "OUTPUT"].filter(
      (name) => !own.some((chain) => chain.name === name),
    );
    const chains: readonly FirewallChain[] = [
      ...own,
      ...missing.map((name) => ({ name, rules: [] })),
    ];
    const shown = wanted === undefined ? chains : chains.filter((chain) => chain.name === wanted);
    if (shown.length === 0) return complained(`${program}: No chain/target/match by that name.`);
    const style = {
      isVerbose: isLong.includes("v"),
      isNumeric: isLong.includes("n"),
      family: family === "ip" ? ("ipv4" as const) : ("ipv6" as const),
      // Only 1.8.9 prints protocols as numbers.
      hasProtocolNumbers: isLong.includes("n") && versionOf(device, "iptables").startsWith("1.8.9"),
    };
    const lines = shown.flatMap((chain, index) => [
      ...(index > 0 ? [""] : []),
      ...iptablesChain(chain, style),
    ]);
    // Without -n addresses and ports are shown by name.
    const known = ["chain", "policy"];
    return partlyPrinted(lines, style.isNumeric ? [...known, "accept", "drop", "reject"] : known);
  };
}

function versionOf(device: Device, name: string): string {
  const list = packages(device);
  return (list.state === "value" ? list.value.versions.get(name) : undefined) ?? "";
}

/** nmcli radio. Source: nmcli(1), NetworkManager state file. */
function nmcliCommand(args: readonly string[], device: Device): CommandOutput {
  const [, kind] = /^radio (wifi|wwan)$/.exec(args.join(" ")) ?? [];
  if (kind === undefined) return notKnown(`nmcli ${args.join(" ")}: a form that is not known here`);
  if (!device.isLive) return needsRunningDevice("nmcli");
  const isRunning =
    device.linkFacts("/run/systemd/units/invocation:NetworkManager.service").state === "value";
  if (!isRunning) return complained("Error: NetworkManager is not running.");
  const text = device.text("/var/lib/NetworkManager/NetworkManager.state");
  if (text.state === "unreadable") return unreadable(text.reason);
  const key = kind === "wifi" ? "WirelessEnabled" : "WWANEnabled";
  const value = new RegExp(`^${key}=(\\w+)`, "m").exec(
    text.state === "value" ? text.value : "",
  )?.[1];
  return printedLines([value === "false" ? "disabled" : "enabled"]);
}

/** Commands about sockets and firewalls. */
export const aboutNetwork: CommandTable = [
  ["ss", ssCommand],
  ["nft", nftCommand],
  ["iptables", iptablesCommand("iptables")],
  ["ip6tables", iptablesCommand("ip6tables")],
  ["ufw", ufwCommand],
  ["nmcli", nmcliCommand],
];
