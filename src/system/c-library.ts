import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describeError } from "../contract/errors.ts";
import { fail, ok, type Result } from "../contract/result.ts";
import { environment } from "./environment.ts";

/** The calls of the C library that the agent takes. Negative results leave an errno. */
export interface CLibrary {
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly connect: (descriptor: number, address: Uint8Array, addressBytes: number) => number;
  readonly bind: (descriptor: number, address: Uint8Array, addressBytes: number) => number;
  readonly send: (d: number, bytes: Uint8Array, length: number, flags: number) => number;
  readonly receive: (
    descriptor: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    sender: Uint8Array,
    senderBytes: Uint8Array,
  ) => number;
  readonly poll: (set: Uint8Array, count: number, timeoutMs: number) => number;
  /** poll(2) without a limit on a thread of Node's pool; `set` must not be touched until `done`. */
  readonly pollApart: (set: Uint8Array, count: number, done: (ready: number) => void) => void;
  readonly eventDescriptor: (initial: number, flags: number) => number;
  readonly write: (descriptor: number, bytes: Uint8Array, length: number) => number;
  readonly read: (descriptor: number, bytes: Uint8Array, length: number) => number;
  readonly setOption: (
    descriptor: number,
    level: number,
    name: number,
    value: Uint8Array,
    valueBytes: number,
  ) => number;
  /** SO_ATTACH_FILTER: the kernel runs the program on each datagram before it wakes anybody. */
  readonly attachFilter: (descriptor: number, instructions: Uint8Array) => number;
  /** `valueBytes` holds an int: the room, and afterwards the length. */
  readonly getOption: (
    descriptor: number,
    level: number,
    name: number,
    value: Uint8Array,
    valueBytes: Uint8Array,
  ) => number;
  readonly close: (descriptor: number) => number;
  readonly errno: () => number;
}

const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
/** struct sock_filter. Source: linux/filter.h. */
const FILTER_INSTRUCTION_BYTES = 8;

/** The part of koffi that is used. Source: koffi.dev, functions and `koffi.errno`. */
export interface Koffi {
  /** `null` is what Node itself is linked to. Throws where there is no such library. */
  load(path: string | null): KoffiLibrary;
  struct(members: Readonly<Record<string, string>>): object;
  pointer(type: object): object;
  /** Bytes of a C type. */
  sizeof(type: string | object): number;
  errno(): number;
}

/** A loaded shared library. `func` throws where it lacks the function. */
export interface KoffiLibrary {
  func(name: string, result: string, parameters: readonly (string | object)[]): CFunction;
}

type CStruct = Readonly<Record<string, number | Uint8Array>>;

/** A function of C whose result is a number. Pointers that C owns travel as `uintptr_t`. */
export interface CFunction {
  (...values: readonly (number | bigint | string | Uint8Array | CStruct)[]): number;
  /** Calls on a thread of Node's pool; the last value is the callback. */
  async(...values: readonly (number | Uint8Array | AsyncDone)[]): void;
}
type AsyncDone = (error: unknown, result: number) => void;

/**
 * Loads koffi and binds the socket calls of the C library that Node itself is linked to, glibc or musl.
 * koffi is looked for where packages are, and in the folders `../lib` and `../lib/node_modules` beside
 * the folder of the running file. Error: `unsupported` when it is nowhere or does not fit the machine.
 * Cost: about 3 MB of memory, so call it when it is needed, and keep the result.
 */
export function loadCLibrary(): Result<CLibrary> {
  const loaded = loadKoffi();
  if (!loaded.ok) return loaded;
  try {
    return ok(bindLibrary(loaded.value));
  } catch (error) {
    // A C library without one of the calls: netlink is then not to be had on this machine.
    return fail("unsupported", "netlink", describeError(error));
  }
}

/** koffi itself, for libraries that are not always there. Looked for as `loadCLibrary` does; same error. */
export function loadKoffi(): Result<Koffi> {
  // The bundle is CommonJS and knows its own file; sources run as modules, below the started script.
  const ownFile =
    typeof __filename === "string" ? __filename : (environment().scriptPath ?? process.execPath);
  const load = createRequire(ownFile);
  const library = join(dirname(ownFile), "..", "lib");
  let reason = "";
  for (const place of ["koffi", join(library, "koffi"), join(library, "node_modules", "koffi")]) {
    try {
      const koffi: Koffi = load(place);
      return ok(koffi);
    } catch (error) {
      // Absent in this place, or built for another machine: the next place may serve.
      reason ||= describeError(error).replace(/ Require stack:.*/, "");
    }
  }
  return fail("unsupported", "koffi", reason);
}

function bindLibrary(koffi: Koffi): CLibrary {
  const library = koffi.load(null);
  const bytes = "uint8_t *";
  const poll = library.func("poll", "int", [bytes, "unsigned long", "int"]);
  const option = ["int", "int", "int", bytes];
  const program = koffi.struct({ len: "uint16_t", filter: bytes });
  const setProgram = library.func("setsockopt", "int", [
    "int",
    "int",
    "int",
    koffi.pointer(program),
    "uint32_t",
  ]);
  return {
    socket: library.func("socket", "int", ["int", "int", "int"]),
    connect: library.func("connect", "int", ["int", bytes, "uint32_t"]),
    bind: library.func("bind", "int", ["int", bytes, "uint32_t"]),
    send: library.func("send", "intptr_t", ["int", bytes, "size_t", "int"]),
    receive: library.func("recvfrom", "intptr_t", ["int", bytes, "size_t", "int", bytes, bytes]),
    poll,
    pollApart: (set, count, done) =>
      poll.async(set, count, -1, (error, ready) => done(error === null ? ready : -1)),
    eventDescriptor: library.func("eventfd", "int", ["uint32_t", "int"]),
    write: library.func("write", "intptr_t", ["int", bytes, "size_t"]),
    read: library.func("read", "intptr_t", ["int", bytes, "size_t"]),
    setOption: library.func("setsockopt", "int", [...option, "uint32_t"]),
    getOption: library.func("getsockopt", "int", [...option, bytes]),
    attachFilter: (descriptor, instructions) =>
      setProgram(
        descriptor,
        SOL_SOCKET,
        SO_ATTACH_FILTER,
        { len: instructions.length / FILTER_INSTRUCTION_BYTES, filter: instructions },
        koffi.sizeof(program),
      ),
    close: library.func("close", "int", ["int"]),
    errno: () => koffi.errno(),
  };
}
