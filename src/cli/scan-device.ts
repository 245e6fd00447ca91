import { connectedHardware } from "../../collectors/connected-hardware/index.ts";
import { interfaceNamesOf, userNamesOf } from "../../collectors/listening-ports/names.ts";
import { findOwners } from "../../collectors/listening-ports/owners.ts";
import { localUsers } from "../../collectors/local-users/index.ts";
import { systemInformation } from "../../collectors/system-information/index.ts";
import { unreadableFact, valueFact } from "../baseline/fact.ts";
import { RULES } from "../baseline/rules/index.ts";
import type { Collector } from "../contract/collector.ts";
import type { PayloadItem } from "../contract/event.ts";
import type { Probe } from "../contract/probe.ts";
import type { Problem } from "../contract/result.ts";
import { firewallOf } from "../parse/firewall/firewall-of.ts";
import type { HostNetwork } from "../posture/exposure/query.ts";
import { readHostNetwork } from "../posture/read-host-network.ts";
import type { FirewallFacts } from "../posture/recommendations/firewall-facts.ts";
import {
  type ListeningSocket,
  waitingSockets,
} from "../posture/recommendations/listening-socket.ts";
import { systemClock } from "../system/clock.ts";
import { type JudgedBaseline, runBaseline } from "./run-baseline.ts";
import { snapshotContext } from "./snapshot-context.ts";
import type { Terminal } from "./terminal.ts";

/** What one look at the device found. */
export interface DeviceFacts {
  readonly system: readonly PayloadItem[];
  readonly users: readonly PayloadItem[];
  readonly hardware: readonly PayloadItem[];
  readonly sockets: {
    readonly list: readonly ListeningSocket[];
    readonly problems: readonly Problem[];
    /** Owners that may not be seen. */
    readonly hidden: readonly Problem[];
  };
  /** Names by user id. */
  readonly userNames: ReadonlyMap<number, string>;
  readonly host: HostNetwork | undefined;
  readonly firewall: FirewallFacts;
  readonly baseline: JudgedBaseline;
  /** What could not be read, beside what the verdicts say is missing. */
  readonly problems: readonly Problem[];
}

/** Where to look, and how far. */
export interface LookOptions {
  readonly probe: Probe;
  readonly isWalkOn: boolean;
  readonly terminal: Terminal;
}

/**
 * Looks once at everything that a scan judges, one part after the other. No process is started but the
 * tools of the firewall, and those only where the kernel has rules, or does not say.
 */
export async function lookAtDevice({
  probe,
  isWalkOn,
  terminal,
}: LookOptions): Promise<DeviceFacts> {
  const signal = new AbortController().signal;
  const show = (part: string): void => terminal.status(`looking at ${part}`);
  show("the system");
  const system = await itemsOf(systemInformation, probe, signal);
  show("accounts");
  const users = await itemsOf(localUsers, probe, signal);
  show("hardware");
  const hardware = await itemsOf(connectedHardware, probe, signal);
  show("sockets and their processes");
  const sockets = await listeningSockets(probe, signal);
  const network = readHostNetwork(probe);
  show("the firewall");
  const reading = await probe.firewall().read(signal);
  const view = firewallOf(reading);
  const firewall = { ...view, unknown: reading.unknown };
  const baseline = await runBaseline({
    probe,
    rules: RULES,
    isWalkOn,
    firewall: firewallFact(firewall, probe.isLive),
    signal,
    terminal,
  });
  terminal.status("");
  return {
    system: system.items,
    users: users.items,
    hardware: hardware.items,
    sockets,
    userNames: userNamesOf(probe),
    host: network.host,
    firewall,
    baseline,
    problems: [
      ...system.problems,
      ...users.problems,
      ...hardware.problems,
      ...sockets.problems,
      ...sockets.hidden,
      ...network.problems,
      ...firewall.unknown.map(({ problem }) => problem),
      ...view.problems,
    ],
  };
}

/** A root that does not run has no rule sets: its checks then read the files of the firewall alone. */
function firewallFact(
  { firewall, unknown }: FirewallFacts,
  isLive: boolean,
): Parameters<typeof runBaseline>[0]["firewall"] {
  if (firewall.tables.length > 0 || unknown.length === 0) return { firewall: valueFact(firewall) };
  if (!isLive) return {};
  const [first] = unknown;
  return { firewall: unreadableFact(first?.problem.detail ?? "could not be read") };
}

interface Items {
  readonly items: readonly PayloadItem[];
  readonly problems: readonly Problem[];
}

/** One snapshot of a collector with its default settings. */
async function itemsOf(collector: Collector, probe: Probe, signal: AbortSignal): Promise<Items> {
  if (collector.mode !== "snapshot") return { items: [], problems: [] };
  const context = snapshotContext({ probe, settings: collector.settings.read({}, []), signal });
  const { events, problems } = await collector.collect(context);
  return { items: events.flatMap(({ payload }) => payload), problems };
}

async function listeningSockets(
  probe: Probe,
  signal: AbortSignal,
): Promise<DeviceFacts["sockets"]> {
  const read = probe.listeningSockets();
  if (!read.ok) return { list: [], problems: [read.problem], hidden: [] };
  const { sockets } = read.value;
  const inodes = new Set(sockets.map(({ inode }) => inode).filter((inode) => inode !== 0));
  const pause = (): Promise<void> => systemClock.sleep(0);
  const search = await findOwners({ probe, signal, pause }, inodes);
  const names = interfaceNamesOf(probe);
  const list = sockets.map((socket): ListeningSocket => {
    const [owner] = search?.owners.get(socket.inode) ?? [];
    const facts = owner === undefined ? undefined : probe.process(owner.processId);
    const interfaceName = names.get(socket.interfaceIndex);
    return {
      socket,
      ...(interfaceName === undefined ? {} : { interfaceName }),
      ...(facts?.ok === true ? { process: facts.value } : {}),
    };
  });
  return { list, problems: read.value.problems ?? [], hidden: hiddenOwners(search, list) };
}

/** A socket of the kernel has no owner; owners that may not be seen are a gap, and no missing socket. */
function hiddenOwners(
  search: Awaited<ReturnType<typeof findOwners>>,
  list: readonly ListeningSocket[],
): readonly Problem[] {
  const unknown = waitingSockets(list).filter(({ process }) => process === undefined).length;
  if (search === undefined || search.deniedProcesses === 0 || unknown === 0) return [];
  const detail = `the processes of ${unknown} sockets are not known: ${search.deniedProcesses} processes may not be looked into`;
  return [{ code: "not-permitted", subject: "/proc/[pid]/fd", detail }];
}
