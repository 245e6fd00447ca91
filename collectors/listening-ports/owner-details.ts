import type { Probe } from "../../src/contract/probe.ts";
import { parseControlGroup } from "../../src/parse/cgroup.ts";
import { plainText, singleValue } from "../../src/parse/plain-text.ts";
import type { Owner } from "./owners.ts";

/** Most other owners named in one item; the rest are counted. */
const MOST_SHARED = 32;

/** What the kernel tells of the process behind a socket, as details of the event. */
export function ownerDetails(
  probe: Probe,
  owner: Owner,
): Readonly<Record<string, string | undefined>> {
  const folder = `/proc/${owner.processId}`;
  const executable = probe.readLink(`${folder}/exe`);
  const name = probe.readText(`${folder}/comm`, 4096);
  const group = probe.readText(`${folder}/cgroup`, 65_536);
  const { unit, userUnit, container } = group.ok ? parseControlGroup(group.value) : {};
  return {
    Pid: String(owner.processId),
    ...(executable.ok ? executableDetails(executable.value) : {}),
    ProcessName: name.ok ? singleValue(name.value, 64) : undefined,
    Unit: unit === undefined ? undefined : plainText(unit),
    UserUnit: userUnit === undefined ? undefined : plainText(userUnit),
    Container: container === undefined ? undefined : plainText(container.id, 64),
    ContainerRuntime: container?.runtime,
  };
}

/** The kernel marks a file that is gone: a server that runs from one deserves a look. */
function executableDetails(target: string): Readonly<Record<string, string>> {
  const path = target.replace(/ \(deleted\)$/, "");
  return {
    Executable: plainText(path, 1024),
    ...(path === target ? {} : { ExecutableDeleted: "true" }),
  };
}

/** The other processes that hold the same sockets, `;` between them; undefined when there are none. */
export function sharedByText(others: readonly Owner[]): string | undefined {
  if (others.length === 0) return undefined;
  const ids = others.map((other) => String(other.processId));
  const rest = ids.length - MOST_SHARED;
  return rest > 0 ? `${ids.slice(0, MOST_SHARED).join(";")};+${rest}` : ids.join(";");
}

/** Inode of a network namespace from its link text `net:[4026531840]`. Source: namespaces(7). */
export function networkNamespace(probe: Probe, process: string): string | undefined {
  const link = probe.readLink(`/proc/${process}/ns/net`);
  return link.ok ? /^net:\[(\d{1,15})\]$/.exec(link.value)?.[1] : undefined;
}
