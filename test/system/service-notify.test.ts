/** What systemd would hear: a real datagram socket of unix(7), bound by the test. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { type CLibrary, loadCLibrary } from "../../src/system/c-library.ts";
import { createServiceNotifier } from "../../src/system/service-notify.ts";
import { RecordingLog } from "../support/recording-log.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const loaded = loadCLibrary();
const skip = loaded.ok ? false : `koffi is not usable here: ${loaded.problem.detail}`;
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;

function address(path: string): Uint8Array {
  const name = Buffer.from(path);
  if (path.startsWith("@")) name[0] = 0;
  const end = path.startsWith("@") ? [] : [0];
  return Uint8Array.from([...new Uint8Array(Uint16Array.of(AF_UNIX).buffer), ...name, ...end]);
}

/** Binds a socket there; returns what reads everything that came. */
function listen(test: TestContext, library: CLibrary, path: string): () => readonly string[] {
  const descriptor = library.socket(AF_UNIX, SOCK_DGRAM, 0);
  const bound = address(path);
  assert.equal(library.bind(descriptor, bound, bound.length), 0);
  test.after(() => library.close(descriptor));
  return () => {
    const lines: string[] = [];
    for (;;) {
      const bytes = new Uint8Array(4096);
      const sender = new Uint8Array(128);
      const room = new Uint8Array(Uint32Array.of(128).buffer);
      const length = library.receive(descriptor, bytes, 4096, MSG_DONTWAIT, sender, room);
      if (length < 0) return lines;
      lines.push(Buffer.from(bytes.subarray(0, length)).toString());
    }
  };
}

describe("the service notifier", { skip }, () => {
  for (const kind of ["a path", "an abstract name"]) {
    it(`speaks to ${kind}`, (test) => {
      assert.ok(loaded.ok);
      const folder = temporaryFolder(test);
      const socket = kind === "a path" ? join(folder, "notify") : `@gatewarden-test-${process.pid}`;
      const heard = listen(test, loaded.value, socket);
      const notifier = createServiceNotifier({ socket, watchdogMs: 1_000 }, new RecordingLog());
      notifier.ready();
      notifier.status("connected\nforged=1");
      notifier.alive();
      notifier.stopping();
      notifier.close();
      notifier.alive();
      assert.deepEqual(heard(), [
        "READY=1",
        "STATUS=connected forged=1",
        "WATCHDOG=1",
        "STOPPING=1",
      ]);
    });
  }

  it("says in the log why systemd will hear nothing", (test) => {
    const log = new RecordingLog();
    const socket = join(temporaryFolder(test), "nobody");
    const notifier = createServiceNotifier({ socket, watchdogMs: undefined }, log);
    notifier.ready();
    assert.match(JSON.stringify(log), /cannot tell systemd that the service runs/);
  });

  it("does nothing outside of systemd", () => {
    createServiceNotifier(undefined, new RecordingLog()).ready();
  });

  it("does not wait for a systemd that does not read", (test) => {
    assert.ok(loaded.ok);
    const socket = join(temporaryFolder(test), "notify");
    const heard = listen(test, loaded.value, socket);
    const notifier = createServiceNotifier({ socket, watchdogMs: 1_000 }, new RecordingLog());
    for (let at = 0; at < 2_000; at += 1) notifier.alive();
    assert.ok(heard().length > 0);
    notifier.close();
  });
});
