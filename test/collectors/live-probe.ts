/** A probe over values in memory whose kernel streams a test feeds. */
import type { KernelStream, KernelStreamListener } from "../../src/contract/kernel-stream.ts";
import type { Probe, ProcessFacts, SocketFacts } from "../../src/contract/probe.ts";
import { fail, ok, type ProblemCode } from "../../src/contract/result.ts";
import { emptyTree, type Tree, treeProbe } from "./tree-probe.ts";

export interface LiveMachine {
  readonly probe: Probe;
  readonly tree: Tree;
  readonly processes: Map<number, ProcessFacts>;
  connected: readonly SocketFacts[];
  /** Streams that refuse, with their reason. */
  readonly refused: Map<KernelStream, ProblemCode>;
  /** Hands one datagram to whoever listens; false when nobody does. */
  tell(stream: KernelStream, bytes: Uint8Array): boolean;
  /** Datagrams that wait in the kernel until somebody reads. */
  hold(stream: KernelStream, bytes: Uint8Array): void;
  overrun(stream: KernelStream, lost: number | undefined): void;
  end(stream: KernelStream): void;
  readonly listening: () => readonly KernelStream[];
}

export function processFacts(changes: Partial<ProcessFacts>): ProcessFacts {
  return {
    processId: 100,
    parentProcessId: 1,
    userId: 0,
    name: "tool",
    executable: "/usr/bin/tool",
    isExecutableDeleted: false,
    args: ["tool"],
    hasEnded: false,
    unit: undefined,
    userUnit: undefined,
    container: undefined,
    ...changes,
  };
}

export function liveMachine(): LiveMachine {
  const tree = emptyTree();
  const processes = new Map<number, ProcessFacts>();
  const listeners = new Map<KernelStream, KernelStreamListener>();
  const held = new Map<KernelStream, Uint8Array[]>();
  const refused = new Map<KernelStream, ProblemCode>();
  const machine: LiveMachine = {
    tree,
    processes,
    connected: [],
    refused,
    tell(stream, bytes) {
      listeners.get(stream)?.onDatagram(bytes);
      return listeners.has(stream);
    },
    hold(stream, bytes) {
      held.set(stream, [...(held.get(stream) ?? []), bytes]);
    },
    overrun: (stream, lost) => listeners.get(stream)?.onOverrun(lost),
    end: (stream) =>
      listeners
        .get(stream)
        ?.onEnd({ code: "unsupported", subject: stream, detail: "the kernel closed it" }),
    listening: () => [...listeners.keys()],
    probe: {
      ...treeProbe(tree),
      isLive: true,
      listFolder(path) {
        if (path === "/proc") return ok([...processes.keys()].map(String));
        return treeProbe(tree).listFolder(path);
      },
      readLink(path) {
        const processId = Number(/^\/proc\/(\d+)\/exe$/.exec(path)?.[1]);
        const executable = processes.get(processId)?.executable;
        return executable === undefined ? treeProbe(tree).readLink(path) : ok(executable);
      },
      process(processId) {
        const found = processes.get(processId);
        return found === undefined ? fail("not-found", `/proc/${processId}`, "gone") : ok(found);
      },
      connectedSockets: () => ok({ source: "sock_diag", sockets: machine.connected }),
      listen(stream, listener) {
        const code = refused.get(stream);
        if (code !== undefined) return fail(code, stream, "refused for the test");
        listeners.set(stream, listener);
        return ok({
          readNow() {
            const waiting = held.get(stream) ?? [];
            held.delete(stream);
            for (const bytes of waiting) listener.onDatagram(bytes);
            return true;
          },
          stop: () => {
            listeners.delete(stream);
          },
        });
      },
    },
  };
  return machine;
}

/** A datagram of the proc connector, little endian. Source: linux/cn_proc.h. */
export function processNotice(
  what: "exec" | "exit",
  processId: number,
  details: { readonly parent?: number; readonly waitStatus?: number } = {},
): Uint8Array {
  const bytes = new Uint8Array(76);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint32(16, 1, true);
  view.setUint32(20, 1, true);
  view.setUint32(36, what === "exec" ? 2 : 0x80000000, true);
  view.setUint32(52, processId, true);
  view.setUint32(56, processId, true);
  if (what === "exit") {
    view.setUint32(60, details.waitStatus ?? 0, true);
    view.setUint32(68, details.parent ?? 1, true);
    view.setUint32(72, details.parent ?? 1, true);
  }
  return bytes;
}
