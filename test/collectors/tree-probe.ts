/** A probe over values in memory, for tests that change the machine between two looks. */
import type { FileFacts, Probe, SocketFacts } from "../../src/contract/probe.ts";
import { fail, ok } from "../../src/contract/result.ts";

export interface Tree {
  /** Text by path; a `Map`, so that a test can change it. */
  readonly files: Map<string, string>;
  readonly links: Map<string, string>;
  sockets: readonly SocketFacts[];
  /** Folders that were listed, in order. */
  readonly listed: string[];
}

export function emptyTree(): Tree {
  return { files: new Map(), links: new Map(), sockets: [], listed: [] };
}

const REGULAR: FileFacts = {
  kind: "file",
  mode: 0o600,
  userId: 0,
  groupId: 0,
  sizeBytes: 1,
  modifiedMs: 0,
  inode: 1,
  deviceId: 1,
};

export function treeProbe(tree: Tree): Probe {
  function names(folder: string): readonly string[] {
    const prefix = `${folder}/`;
    const below = [...tree.files.keys(), ...tree.links.keys()]
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length).split("/")[0] ?? "");
    return [...new Set(below)].sort();
  }
  const missing = (path: string) => fail("not-found", path, "no such file");
  return {
    root: "/",
    isLive: false,
    endianness: "LE",
    kernelClockMs: () => 0,
    readText(path) {
      const text = tree.files.get(path);
      return text === undefined ? missing(path) : ok(text);
    },
    readBytes: (path) => missing(path),
    readFrom(path, offset, maxBytes) {
      const text = tree.files.get(path);
      if (text === undefined) return missing(path);
      const whole = Buffer.from(text, "utf8");
      const bytes = Uint8Array.from(whole.subarray(offset, offset + maxBytes));
      return ok({ bytes, sizeBytes: whole.length, inode: 1, deviceId: 1 });
    },
    readLink(path) {
      const target = tree.links.get(path);
      return target === undefined ? missing(path) : ok(target);
    },
    listFolder(path) {
      tree.listed.push(path);
      const found = names(path);
      return found.length === 0 ? missing(path) : ok(found);
    },
    facts: (path) => (tree.files.has(path) ? ok(REGULAR) : missing(path)),
    listeningSockets: () => ok({ source: "sock_diag", sockets: tree.sockets }),
    firewall: () => ({
      read: async () => ({ texts: [], unknown: [], problems: [] }),
      watch: () => () => undefined,
    }),
    connectedSockets: () => ok({ source: "sock_diag", sockets: [] }),
    watchFolder: (path) => fail("unsupported", path, "a tree in memory"),
    sha256: async (path) => missing(path),
    process: (processId) => missing(`/proc/${processId}`),
    listen: (stream) => fail("unsupported", stream, "a tree in memory"),
    followJournal: () => fail("unsupported", "journal", "a tree in memory"),
    kernel: () => missing("/proc/sys/kernel"),
  };
}

/** A listening TCP socket on all IPv4 addresses, unless told otherwise. */
export function socket(changes: Partial<SocketFacts>): SocketFacts {
  return {
    protocol: "tcp",
    family: "ipv4",
    state: 10,
    localAddress: "0.0.0.0",
    localPort: 22,
    remoteAddress: "0.0.0.0",
    remotePort: 0,
    userId: 0,
    inode: 100,
    interfaceIndex: 0,
    ...changes,
  };
}

/** Adds a process that holds sockets, by descriptor. */
export function addProcess(
  tree: Tree,
  processId: number,
  process: {
    readonly name?: string;
    readonly startTicks?: number;
    readonly sockets: Readonly<Record<string, number>>;
  },
): void {
  const folder = `/proc/${processId}`;
  const rest = "1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0";
  const name = process.name ?? "server";
  tree.files.set(
    `${folder}/stat`,
    `${processId} (${name}) S ${rest} ${process.startTicks ?? 5} 0 0`,
  );
  tree.files.set(`${folder}/comm`, `${name}\n`);
  for (const [descriptor, inode] of Object.entries(process.sockets)) {
    tree.links.set(`${folder}/fd/${descriptor}`, `socket:[${inode}]`);
  }
}

export function removeProcess(tree: Tree, processId: number): void {
  const prefix = `/proc/${processId}/`;
  for (const paths of [tree.files, tree.links]) {
    for (const path of [...paths.keys()]) if (path.startsWith(prefix)) paths.delete(path);
  }
}
