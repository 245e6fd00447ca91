import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describeError } from "../contract/errors.ts";
import { fail, ok, type Result } from "../contract/result.ts";
import { environment } from "./environment.ts";

/** The calls of the C library that the agent takes. Negative results leave an errno. */
export interface CLibrary {
  readonly socket: (domain: number, type: number, protocol: number) => number;
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
  readonly close: (descriptor: number) => number;
  readonly errno: () => number;
}

/** The part of koffi that is used. Source: koffi.dev, functions and `koffi.errno`. */
interface Koffi {
  load(path: null): {
    func(name: string, result: string, parameters: readonly string[]): CFunction;
  };
  errno(): number;
}
type CFunction = (...values: readonly (number | Uint8Array)[]) => number;

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

function loadKoffi(): Result<Koffi> {
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
  return {
    socket: library.func("socket", "int", ["int", "int", "int"]),
    bind: library.func("bind", "int", ["int", bytes, "uint32_t"]),
    send: library.func("send", "intptr_t", ["int", bytes, "size_t", "int"]),
    receive: library.func("recvfrom", "intptr_t", ["int", bytes, "size_t", "int", bytes, bytes]),
    poll: library.func("poll", "int", [bytes, "unsigned long", "int"]),
    close: library.func("close", "int", ["int"]),
    errno: () => koffi.errno(),
  };
}
