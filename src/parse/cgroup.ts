export type ContainerRuntime =
  | "docker"
  | "containerd"
  | "cri-o"
  | "podman"
  | "kubernetes"
  | "lxc"
  | "nspawn"
  | "unknown";

export interface ContainerName {
  readonly runtime: ContainerRuntime;
  /** First 12 hexadecimal digits of the id, as tools print it, or the name of an LXC container. */
  readonly id: string;
}

/** What the control group of a process tells about who started it. */
export interface ControlGroup {
  /** systemd unit of the system manager: `ssh.service`, `session-3.scope`. */
  readonly unit?: string;
  /** Unit of a user's own manager, when `unit` is `user@….service`. */
  readonly userUnit?: string;
  readonly container?: ContainerName;
}

const MOST_LINES = 64;

/**
 * Reads /proc/[pid]/cgroup, versions 1 and 2. Group names are chosen by whoever may create groups,
 * so the result is a hint, not proof. Unknown forms yield an empty result.
 * Source: cgroups(7); systemd src/basic/cgroup-util.c; the path forms of runc, containerd, CRI-O,
 * Podman and LXC.
 */
export function parseControlGroup(text: string): ControlGroup {
  const paths = text
    .split("\n", MOST_LINES)
    .map((line) => /^(\d+):([^:]*):(\/.{0,4096})$/.exec(line))
    .flatMap((match) => (match === null ? [] : [{ owner: match[2] ?? "", path: match[3] ?? "" }]))
    .filter((group) => group.path !== "/")
    .sort((a, b) => precedence(a.owner) - precedence(b.owner))
    .map((group) => group.path.split("/").filter((part) => part !== ""));
  const container = paths.map(containerOf).find((found) => found !== undefined);
  return {
    ...unitsOf(paths[0] ?? []),
    ...(container === undefined ? {} : { container }),
  };
}

/** systemd's own tree first, then the unified one, then the controllers of version 1. */
function precedence(owner: string): number {
  if (owner === "name=systemd") return 0;
  return owner === "" ? 1 : 2;
}

function unitsOf(parts: readonly string[]): Pick<ControlGroup, "unit" | "userUnit"> {
  const units = parts
    .filter((part) => /\.(?:service|scope)$/.test(part))
    .map((part) => part.replace(/^_/, ""));
  const [unit, next] = units;
  if (unit === undefined) return {};
  const isUserManager = /^user@\d+\.service$/.test(unit);
  return { unit, ...(isUserManager && next !== undefined ? { userUnit: next } : {}) };
}

const SCOPED: readonly (readonly [pattern: RegExp, runtime: ContainerRuntime])[] = [
  [/^docker-([0-9a-f]{64})(?:\.scope)?$/, "docker"],
  [/^cri-containerd-([0-9a-f]{64})(?:\.scope)?$/, "containerd"],
  [/^nerdctl-([0-9a-f]{64})(?:\.scope)?$/, "containerd"],
  [/^crio-([0-9a-f]{64})(?:\.scope)?$/, "cri-o"],
  [/^libpod-([0-9a-f]{64})(?:\.scope)?$/, "podman"],
  [/^lxc\.payload\.(.{1,64})$/, "lxc"],
  [/^systemd-nspawn@(.{1,64})\.service$/, "nspawn"],
];

function containerOf(parts: readonly string[]): ContainerName | undefined {
  for (const [index, part] of parts.entries()) {
    for (const [pattern, runtime] of SCOPED) {
      const id = pattern.exec(part)?.[1];
      if (id !== undefined) return { runtime, id: shortId(id) };
    }
    if (/^[0-9a-f]{64}$/.test(part))
      return { runtime: runtimeAbove(parts, index), id: shortId(part) };
    if (parts[index - 1] === "lxc") return { runtime: "lxc", id: part.slice(0, 64) };
  }
  return undefined;
}

/** A bare id says nothing of its runtime; the folders above it do. */
function runtimeAbove(parts: readonly string[], index: number): ContainerRuntime {
  const above = parts.slice(0, index);
  if (above.includes("docker")) return "docker";
  if (above.some((part) => part.startsWith("kubepods"))) return "kubernetes";
  return above.includes("libpod_parent") ? "podman" : "unknown";
}

function shortId(id: string): string {
  return /^[0-9a-f]{64}$/.test(id) ? id.slice(0, 12) : id;
}
