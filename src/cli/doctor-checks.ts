import { COLLECTORS } from "../../collectors/index.ts";
import type { ConfigReading } from "../config/read-config.ts";
import { AgentError, describeError } from "../contract/errors.ts";
import type { Log } from "../contract/log.ts";
import { capabilities, type Environment } from "../system/environment.ts";
import { lockFolder } from "../system/folder-lock.ts";
import { createProbe } from "../system/probe.ts";
import { checkReachability } from "../transport/reachability.ts";
import { transportDeps } from "./assemble.ts";
import { transportOptionsOf } from "./transport-options.ts";

export type DoctorLevel = "ok" | "note" | "warning" | "error";

/** One finding of `gatewarden doctor`. */
export interface DoctorFinding {
  readonly area: "configuration" | "state" | "collectors" | "kernel" | "hub";
  readonly level: DoctorLevel;
  readonly what: string;
  readonly remedy: string;
}

function good(area: DoctorFinding["area"], what: string): DoctorFinding {
  return { area, level: "ok", what, remedy: "" };
}

/** What is wrong with the configuration. */
export function checkConfiguration(reading: ConfigReading): readonly DoctorFinding[] {
  const remedy = "Correct it as docs/configuration.md says.";
  const findings: DoctorFinding[] = [
    ...reading.faults.map(({ severity, key, message }) => ({
      area: "configuration" as const,
      level: severity === "error" ? ("error" as const) : ("warning" as const),
      what: key === "" ? message : `${key}: ${message}`,
      remedy,
    })),
    ...reading.warnings.map(({ key, message }) => ({
      area: "configuration" as const,
      level: "note" as const,
      what: `${key}: ${message}`,
      remedy,
    })),
  ];
  if (findings.length > 0) return findings;
  return [good("configuration", `transport ${reading.config.transport}, no faults`)];
}

/** Whether the state directory can be used. A running agent holds it, which is as it should be. */
export function checkState(reading: ConfigReading): readonly DoctorFinding[] {
  const { stateDirectory } = reading.config;
  try {
    lockFolder(stateDirectory)();
    return [good("state", `${stateDirectory} is private and can be written`)];
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    if (error.code === "AGENT_STATE_LOCKED") return [good("state", error.message)];
    return [{ area: "state", level: "error", what: error.message, remedy: error.remedy }];
  }
}

/** `/proc/net/{tcp,udp}` names two paths; one of them is enough. */
function pathsOf(text: string): readonly string[] {
  const [, before = "", inner = "", after = ""] = /^([^{]*)\{([^}]*)\}(.*)$/.exec(text) ?? [];
  return inner === "" ? [text] : inner.split(",").map((part) => `${before}${part}${after}`);
}

/** Where secrets come from when the service's own are asked for outside of the service. */
export function checkCredentials(
  configText: string,
  environment: Environment,
  credentialsSource: string,
): readonly DoctorFinding[] {
  const isAsked = configText.includes('"credential:gatewarden_');
  if (!isAsked || environment.credentialsDirectory !== undefined) return [];
  return [
    {
      area: "configuration",
      level: "note",
      what: `not run by systemd: credentials are read from ${credentialsSource} instead`,
      remedy: environment.isRoot
        ? "Nothing to do: the service gets the same files from systemd."
        : "Only root can read that folder: sudo gatewarden doctor --config FILE.",
    },
  ];
}

/** What each collector lacks on this machine, and what is lost by it. */
export function checkCollectors(): readonly DoctorFinding[] {
  const held = capabilities();
  const names = held.ok ? held.value : [];
  const probe = createProbe({ root: "/" });
  return COLLECTORS.flatMap((collector): readonly DoctorFinding[] => {
    const lacking = collector.needs.filter((need) => {
      if (need.kind === "capability") return !names.includes(need.what);
      if (need.kind === "path") return !pathsOf(need.what).some((path) => probe.facts(path).ok);
      return false;
    });
    if (lacking.length === 0) return [good("collectors", `${collector.name} has what it needs`)];
    return lacking.map((need) => ({
      area: "collectors" as const,
      level: "note" as const,
      what: `${collector.name}: no ${need.what}: ${need.lostWithout}`,
      remedy:
        need.kind === "capability"
          ? `Run as root, or add ${need.what} to AmbientCapabilities of the unit.`
          : "Nothing to do where the system has no such thing.",
    }));
  });
}

/** Whether the kernel answers by netlink. */
export function checkKernel(): readonly DoctorFinding[] {
  const sockets = createProbe({ root: "/" }).listeningSockets();
  if (!sockets.ok) {
    const what = `listening sockets cannot be read: ${sockets.problem.detail}`;
    return [{ area: "kernel", level: "error", what, remedy: "Is /proc mounted?" }];
  }
  if (sockets.value.source === "sock_diag") return [good("kernel", "sock_diag answers by netlink")];
  return [
    {
      area: "kernel",
      level: "note",
      what: "sock_diag is not used, /proc/net is read instead: slower, same result",
      remedy:
        "Install koffi beside the agent, load the modules tcp_diag and udp_diag, allow AF_NETLINK.",
    },
  ];
}

/** What each stream of the kernel is for, and what is done without it. */
const STREAMS = [
  {
    stream: "executions",
    with: "processes are told by the kernel (proc connector)",
    without: "processes: /proc is polled, short-lived ones and all ends are missed",
  },
  {
    stream: "socket-ends",
    with: "ends of connections are told by the kernel (sock_diag)",
    without: "connections that end between two looks are not seen",
  },
  {
    stream: "audit",
    with: "audit records can be heard, where something writes them",
    without:
      "audit records are not heard: short-lived processes have no name, logins no second witness",
  },
  {
    stream: "conntrack",
    with: "new connections are told by the kernel where rules track them (conntrack)",
    without: "connections: UDP flows are not seen, sockets are looked at every ten seconds",
  },
] as const;

/** Which sources live events would come from, found by opening each for a moment. */
export function checkStreams(): readonly DoctorFinding[] {
  const probe = createProbe({ root: "/" });
  const listener = {
    onDatagram: () => undefined,
    onOverrun: () => undefined,
    onEnd: () => undefined,
  };
  return STREAMS.map((one): DoctorFinding => {
    const opened = probe.listen(one.stream, listener);
    if (opened.ok) {
      opened.value.stop();
      return good("kernel", one.with);
    }
    return {
      area: "kernel",
      level: "note",
      what: `${one.without}: ${opened.problem.detail}`,
      remedy:
        opened.problem.code === "not-permitted"
          ? "Run as root, or add CAP_NET_ADMIN and CAP_AUDIT_READ to AmbientCapabilities of the unit."
          : "Nothing to do where the kernel has no such thing, as inside a container.",
    };
  });
}

/** Whether secrets can be read and the hub answers with a trusted certificate. */
export async function checkHub(
  reading: ConfigReading,
  environment: Environment,
  log: Log,
  credentialsSource: string,
): Promise<readonly DoctorFinding[]> {
  if (reading.transport === undefined) return [];
  const options = transportOptionsOf(reading.transport, { hostName: "device", agentId: "doctor" });
  try {
    const reached = await checkReachability(
      options,
      transportDeps(environment, log, { credentialsSource }),
    );
    const isNamed = reached.address === "" || reached.detail.startsWith(reached.address);
    const what = isNamed ? reached.detail : `${reached.address}: ${reached.detail}`;
    if (reached.isReachable) return [good("hub", what)];
    return [{ area: "hub", level: "error", what, remedy: reached.remedy }];
  } catch (error) {
    const remedy = error instanceof AgentError ? error.remedy : "See the message.";
    return [{ area: "hub", level: "error", what: describeError(error), remedy }];
  }
}
