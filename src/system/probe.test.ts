import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import fc from "fast-check";
import { RecordingLog } from "../../test/support/recording-log.ts";
import { temporaryFolder } from "../../test/system/temporary-folder.ts";
import type { Probe } from "../contract/probe.ts";
import type { Result } from "../contract/result.ts";
import { createProbe } from "./probe.ts";

const OUTSIDE = "outside the root";

function captured(test: TestContext, files: Readonly<Record<string, string>>): Probe {
  const folder = temporaryFolder(test);
  writeFileSync(join(folder, "secret"), OUTSIDE);
  const root = join(folder, "root");
  mkdirSync(root);
  for (const [path, content] of Object.entries(files)) {
    const target = join(root, path);
    mkdirSync(join(target, ".."), { recursive: true });
    writeFileSync(target, content);
  }
  return createProbe({ root });
}

function given<T>(result: Result<T>): T {
  assert.ok(result.ok, result.ok ? "" : JSON.stringify(result.problem));
  return result.value;
}

function codeOf(result: Result<unknown>): string {
  assert.ok(!result.ok, "expected a problem");
  return result.problem.code;
}

describe("the probe of a captured root", () => {
  it("reads below its root and says so", (test) => {
    const probe = captured(test, { "etc/hostname": "gateway\n" });
    assert.equal(probe.isLive, false);
    assert.equal(given(probe.readText("/etc/hostname")), "gateway\n");
    assert.deepEqual([...given(probe.readBytes("etc/hostname", 8))], [...Buffer.from("gateway\n")]);
  });

  it("names the path and the error, never the folder it lies in", (test) => {
    const result = captured(test, {}).readText("/etc/absent");
    assert.deepEqual(result, {
      ok: false,
      problem: {
        code: "not-found",
        subject: "/etc/absent",
        detail: "ENOENT: no such file or directory",
      },
    });
  });

  it("keeps .. inside", (test) => {
    const probe = captured(test, { "etc/hostname": "gateway" });
    assert.equal(codeOf(probe.readText("/../secret")), "not-found");
    assert.equal(codeOf(probe.readText("/etc/../../secret")), "not-found");
    assert.equal(given(probe.readText("/../../etc/hostname")), "gateway");
  });

  it("follows links as if the root were the machine", (test) => {
    const probe = captured(test, { "etc/hostname": "gateway", "usr/lib/os-release": "ID=x" });
    symlinkSync("/etc/hostname", join(probe.root, "absolute"));
    symlinkSync("../usr/lib/os-release", join(probe.root, "etc/os-release"));
    symlinkSync("/usr", join(probe.root, "etc/deep"));
    assert.equal(given(probe.readText("/absolute")), "gateway");
    assert.equal(given(probe.readText("/etc/os-release")), "ID=x");
    assert.equal(given(probe.readText("/etc/deep/lib/os-release")), "ID=x");
    assert.equal(given(probe.readLink("/absolute")), "/etc/hostname");
    assert.equal(given(probe.facts("/absolute")).kind, "file");
    assert.equal(given(probe.facts("/absolute", false)).kind, "link");
  });

  it("lets no link lead out of it, by any call", (test) => {
    const probe = captured(test, { "etc/x": "" });
    symlinkSync("../secret", join(probe.root, "relative"));
    symlinkSync("../../../secret", join(probe.root, "etc/up"));
    symlinkSync("..", join(probe.root, "folder"));
    symlinkSync(join(probe.root, "..", "secret"), join(probe.root, "absolute"));
    for (const path of [
      "/relative",
      "/etc/up",
      "/folder/secret",
      "/absolute",
      "/folder/../secret",
    ]) {
      assert.equal(codeOf(probe.readText(path)), "not-found", path);
      assert.equal(codeOf(probe.readBytes(path)), "not-found", path);
      assert.equal(codeOf(probe.facts(path)), "not-found", path);
    }
    assert.ok(!given(probe.listFolder("/folder")).includes("secret"));
    assert.equal(codeOf(probe.readLink("/folder/secret")), "not-found");
  });

  it("never reads the file outside, whatever the path", (test) => {
    const probe = captured(test, { "a/b": "inside" });
    symlinkSync("../..", join(probe.root, "a/up"));
    symlinkSync("/a/up/..", join(probe.root, "a/twice"));
    const part = fc.constantFrom("..", ".", "a", "up", "twice", "secret", "", "b");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 10 }), (parts) => {
        const read = probe.readText(`/${parts.join("/")}`);
        assert.ok(!read.ok || read.value !== OUTSIDE);
      }),
      { numRuns: 500 },
    );
  });

  it("gives up on links that go in circles", (test) => {
    const probe = captured(test, {});
    symlinkSync("/b", join(probe.root, "a"));
    symlinkSync("/a", join(probe.root, "b"));
    assert.equal(codeOf(probe.readText("/a")), "malformed");
  });

  it("takes uname from proc/sys/kernel and leaves unknown words empty", (test) => {
    const probe = captured(test, {
      "proc/sys/kernel/ostype": "Linux\n",
      "proc/sys/kernel/osrelease": "6.1.0-13-amd64\n",
      "proc/sys/kernel/hostname": "gw-7\n",
    });
    assert.deepEqual(given(probe.kernel()), {
      sysname: "Linux",
      release: "6.1.0-13-amd64",
      version: "",
      machine: "",
      hostName: "gw-7",
    });
  });

  it("without proc/sys/kernel has no kernel facts, which is not the same as empty ones", (test) => {
    assert.equal(codeOf(captured(test, {}).kernel()), "not-found");
  });
});

describe("the limits of the probe", () => {
  it("stop a file that is too long, wherever it is", (test) => {
    const probe = captured(test, { ten: "0123456789", big: "x".repeat(200_000) });
    assert.equal(given(probe.readText("/ten", 10)), "0123456789");
    assert.equal(codeOf(probe.readText("/ten", 9)), "too-large");
    assert.equal(given(probe.readText("/big")).length, 200_000);
    assert.equal(codeOf(probe.readText("/big", 199_999)), "too-large");
    assert.equal(codeOf(createProbe({ root: "/" }).readText("/proc/self/status", 20)), "too-large");
  });

  it("keep a text that was read when the next is read", (test) => {
    const probe = captured(test, { a: "first", b: "other" });
    const first = given(probe.readBytes("/a"));
    given(probe.readBytes("/b"));
    assert.equal(Buffer.from(first).toString(), "first");
  });

  it("turn bad UTF-8 into U+FFFD and keep a byte order mark", (test) => {
    const probe = captured(test, {});
    writeFileSync(join(probe.root, "bad"), Uint8Array.of(0x61, 0xff, 0x62));
    writeFileSync(join(probe.root, "mark"), "\ufeffx");
    assert.equal(given(probe.readText("/bad")), "a\ufffdb");
    assert.equal(given(probe.readText("/mark")), "\ufeffx");
  });

  it("refuse a folder, a pipe without a writer and a device instead of waiting", (test) => {
    const probe = captured(test, { "folder/x": "" });
    execFileSync("mkfifo", [join(probe.root, "pipe")]);
    assert.equal(codeOf(probe.readText("/folder")), "unsupported");
    assert.equal(codeOf(probe.readText("/pipe")), "unsupported");
    assert.equal(given(probe.facts("/pipe")).kind, "pipe");
    assert.equal(codeOf(createProbe({ root: "/" }).readText("/dev/zero")), "unsupported");
  });

  it("make a NUL byte a malformed path", (test) => {
    for (const probe of [captured(test, {}), createProbe({ root: "/" })]) {
      assert.equal(codeOf(probe.readText("/etc/\0passwd")), "malformed");
      assert.equal(codeOf(probe.listFolder("\0")), "malformed");
    }
  });

  it("list names sorted by code unit, and nothing for a file", (test) => {
    const probe = captured(test, { "d/b": "", "d/a": "", "d/Z": "", "d/10": "", "d/9": "" });
    assert.deepEqual(given(probe.listFolder("/d")), ["10", "9", "Z", "a", "b"]);
    assert.equal(codeOf(probe.listFolder("/d/a")), "not-found");
    assert.equal(codeOf(probe.readLink("/d/a")), "unsupported");
  });
});

describe("the probe of the live device", () => {
  it("reads kernel files whose size says nothing", () => {
    const probe = createProbe({ root: "/" });
    assert.equal(probe.isLive, true);
    assert.match(given(probe.readText("/proc/self/status")), /^Pid:\t\d+$/m);
    assert.ok(given(probe.listFolder("/proc/self/fd")).length >= 3);
  });

  it("says what uname says", () => {
    const kernel = given(createProbe({ root: "/" }).kernel());
    const uname = (flag: string): string => execFileSync("uname", [flag]).toString().trim();
    assert.equal(kernel.sysname, uname("-s"));
    assert.equal(kernel.release, uname("-r"));
    assert.equal(kernel.version, uname("-v"));
    assert.equal(kernel.machine, uname("-m"));
    assert.equal(kernel.hostName, uname("-n"));
  });

  it("gives the facts stat gives", () => {
    const facts = given(createProbe({ root: "/" }).facts("/etc/passwd"));
    const [mode, user, size, inode] = execFileSync("stat", ["-c", "%a %u %s %i", "/etc/passwd"])
      .toString()
      .trim()
      .split(" ");
    assert.deepEqual(
      [facts.mode.toString(8), facts.userId, facts.sizeBytes, facts.inode],
      [mode, Number(user), Number(size), Number(inode)],
    );
  });
});

const HEADER =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const LISTENER =
  "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77 1\n";
const CONNECTED =
  "   1: 0100007F:0016 0100007F:9000 01 00000000:00000000 00:00000000 00000000     0        0 78 1\n";
const UDP_BOUND =
  "   2: 00000000:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 79 2\n";
const UDP_CONNECTED =
  "   3: 0100007F:0045 0100007F:0035 01 00000000:00000000 00:00000000 00000000     0        0 80 2\n";

describe("listening sockets of a captured root", () => {
  for (const folder of ["proc/net", "proc/self/net"]) {
    it(`come from ${folder}, and no IPv6 is no error`, (test) => {
      const probe = captured(test, {
        [`${folder}/tcp`]: HEADER + LISTENER + CONNECTED,
        [`${folder}/udp`]: HEADER + UDP_BOUND + UDP_CONNECTED,
      });
      const list = given(probe.listeningSockets());
      assert.equal(list.source, "proc_net");
      assert.deepEqual(
        list.sockets.map((socket) => `${socket.protocol} ${socket.localPort} ${socket.inode}`),
        ["tcp 22 77", "udp 68 79"],
      );
      assert.equal(list.problems, undefined);
    });
  }

  it("follow a captured link from proc/net to self/net", (test) => {
    const probe = captured(test, { "proc/self/net/tcp": LISTENER, "proc/self/net/udp": "" });
    symlinkSync("self/net", join(probe.root, "proc/net"));
    assert.equal(given(probe.listeningSockets()).sockets.length, 1);
  });

  it("that cannot be read are a problem, not an empty list", (test) => {
    assert.equal(codeOf(captured(test, {}).listeningSockets()), "not-found");
    assert.equal(
      codeOf(captured(test, { "proc/net/tcp": LISTENER }).listeningSockets()),
      "not-found",
    );
  });

  it("carry the problem of a bad line and log it", (test) => {
    const root = captured(test, {
      "proc/net/tcp": `${HEADER}${LISTENER}bad line\n`,
      "proc/net/udp": "",
    }).root;
    const log = new RecordingLog();
    const list = given(createProbe({ root, log }).listeningSockets());
    assert.equal(list.sockets.length, 1);
    assert.equal(list.problems?.length, 1);
    assert.equal(list.problems?.[0]?.detail, "line 3 is no socket: bad line");
    assert.deepEqual(
      log.lines.map((line) => line.level),
      ["warn"],
    );
  });
});
