import { endianness } from "node:os";
import type { Log } from "../contract/log.ts";
import { ok, type Result } from "../contract/result.ts";
import { type CLibrary, loadCLibrary } from "./c-library.ts";
import type { Supervision } from "./environment.ts";
import { problemOfErrno } from "./system-problem.ts";

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 0o2000002;
const MSG_DONTWAIT_NOSIGNAL = 0x4040;
/** Source: unix(7), sun_path. */
const LONGEST_PATH = 107;

/** Tells systemd how the service is. Every call is cheap, and none fails. Source: sd_notify(3). */
export interface ServiceNotifier {
  /** Start-up is over. */
  ready(): void;
  stopping(): void;
  /** One line for `systemctl status`. */
  status(line: string): void;
  /** Still well: systemd kills the service when this stays out for too long. */
  alive(): void;
  close(): void;
}

const SILENT: ServiceNotifier = {
  ready: () => undefined,
  stopping: () => undefined,
  status: () => undefined,
  alive: () => undefined,
  close: () => undefined,
};

/**
 * Speaks to the socket that systemd gave, without a process. Outside of systemd it does nothing, and
 * loads nothing. Where the native library does not fit the machine, systemd will give the start up after
 * its time limit; the log says why.
 */
export function createServiceNotifier(
  supervision: Supervision | undefined,
  log: Log,
): ServiceNotifier {
  if (supervision === undefined) return SILENT;
  const opened = openSocket(supervision.socket);
  if (!opened.ok) {
    const { detail } = opened.problem;
    const remedy = "install the koffi library of the package, or use Type=simple in the unit";
    log.error({ reason: detail, remedy }, "cannot tell systemd that the service runs");
    return SILENT;
  }
  const { send, close } = opened.value;
  return {
    ready: () => send("READY=1"),
    stopping: () => send("STOPPING=1"),
    status: (line) => send(`STATUS=${line.replaceAll("\n", " ")}`),
    alive: () => send("WATCHDOG=1"),
    close,
  };
}

interface NotifySocket {
  send(text: string): void;
  close(): void;
}

function openSocket(path: string): Result<NotifySocket> {
  const loaded = loadCLibrary();
  if (!loaded.ok) return loaded;
  const library = loaded.value;
  const descriptor = library.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
  if (descriptor < 0) return problemOfErrno(library.errno(), path, "socket");
  const address = socketAddress(path);
  if (library.connect(descriptor, address, address.length) < 0) {
    const errno = library.errno();
    library.close(descriptor);
    return problemOfErrno(errno, path, "connect");
  }
  return ok(wrap(library, descriptor));
}

function wrap(library: CLibrary, descriptor: number): NotifySocket {
  let isOpen = true;
  return {
    send(text) {
      if (!isOpen) return;
      const bytes = new TextEncoder().encode(text);
      // A full socket means that systemd is busy: the next one will arrive.
      library.send(descriptor, bytes, bytes.length, MSG_DONTWAIT_NOSIGNAL);
    },
    close() {
      if (isOpen) library.close(descriptor);
      isOpen = false;
    },
  };
}

/** struct sockaddr_un; `@` stands for the NUL that begins an abstract name. Source: unix(7). */
function socketAddress(path: string): Uint8Array {
  const name = new TextEncoder().encode(path).subarray(0, LONGEST_PATH);
  const isAbstract = path.startsWith("@");
  const address = new Uint8Array(2 + name.length + (isAbstract ? 0 : 1));
  new DataView(address.buffer).setUint16(0, AF_UNIX, endianness() === "LE");
  address.set(name, 2);
  if (isAbstract) address[2] = 0;
  return address;
}
