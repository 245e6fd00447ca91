import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Device, failed } from "../../test/collectors/login-device.ts";

const HOUR_MS = 3_600_000;

describe("logins of the journal", () => {
  it("are one event each, with the fields of the message and of journald", async () => {
    const device = new Device();
    const watch = await device.start();
    device.journal(
      { text: "pam_unix(sshd:auth): authentication failure; logname= uid=0" },
      failed("ops", 50_022),
      { text: "Accepted publickey for ops from 192.0.2.9 port 50023 ssh2", processId: 801 },
      { text: "pam_unix(sshd:session): session opened for user ops(uid=1001) by (uid=0)" },
    );
    await device.clock.advance(6_000);
    assert.deepEqual(device.items, [
      {
        ProcessId: 800,
        UserName: "ops",
        Operation: "sshd",
        Executable: "/usr/sbin/sshd",
        RemoteAddress: "192.0.2.9",
        RemotePort: "50022",
        Result: "Fail",
        ExtraDetails: { Sources: "journal", Method: "password" },
      },
      {
        ProcessId: 801,
        UserName: "ops",
        Operation: "sshd",
        Executable: "/usr/sbin/sshd",
        RemoteAddress: "192.0.2.9",
        RemotePort: "50023",
        Result: "Success",
        ExtraDetails: { Sources: "journal", Method: "publickey" },
      },
    ]);
    await watch.stop();
  });

  it("told by a program and by PAM are one, with what both say", async () => {
    const device = new Device();
    const watch = await device.start();
    const console = { program: "login", executable: "/usr/bin/login", processId: 300 };
    device.journal({
      ...console,
      text: "pam_unix(login:session): session opened for user ops(uid=1) by LOGIN(uid=0)",
    });
    await device.clock.advance(3_000);
    // The session has a process of its own.
    device.journal({ ...console, processId: 301, text: "LOGIN ON ttyS0 BY ops" });
    await device.clock.advance(3_000);
    assert.equal(device.items.length, 1);
    assert.equal(device.detail(0, "Terminal"), "ttyS0");
    await watch.stop();
  });

  it("are one on a busy machine too, where the second word comes late", async () => {
    const device = new Device();
    const watch = await device.start();
    const console = { program: "login", executable: "/usr/bin/login", processId: 300 };
    const byPam = {
      ...console,
      text: "pam_unix(login:session): session opened for user ops(uid=1) by LOGIN(uid=0)",
    };
    const byProgram = { ...console, processId: 301, text: "LOGIN ON ttyS0 BY ops" };
    device.journal(byPam);
    await device.clock.advance(20_000);
    device.journal(byProgram);
    await device.clock.advance(6_000);
    assert.equal(device.items.length, 1);
    // The next one is another login, by whichever word it comes first.
    device.journal(byProgram);
    await device.clock.advance(6_000);
    assert.equal(device.items.length, 2);
    device.journal(byPam);
    await device.clock.advance(6_000);
    assert.equal(device.items.length, 2);
    device.journal(byPam);
    await device.clock.advance(70_000);
    device.journal(byProgram);
    await device.clock.advance(6_000);
    assert.equal(device.items.length, 4, "a minute apart are two");
    await watch.stop();
  });

  it("are one where both words are read at once, long after they were written", async () => {
    const device = new Device();
    const watch = await device.start();
    const console = { program: "login", executable: "/usr/bin/login", processId: 300 };
    const startMs = device.clock.nowMs();
    const byPam = {
      ...console,
      text: "pam_unix(login:session): session opened for user ops(uid=1) by LOGIN(uid=0)",
    };
    const byProgram = { ...console, processId: 301, text: "LOGIN ON ttyS0 BY ops" };
    device.journal({ ...byPam, atMs: startMs }, { ...byProgram, atMs: startMs + 5_800 });
    await device.clock.advance(12_000);
    assert.equal(device.items.length, 1);
    device.journal({ ...byPam, atMs: startMs + 9_000 }, { ...byProgram, atMs: startMs + 9_100 });
    await device.clock.advance(12_000);
    assert.equal(device.items.length, 2, "the next one is another login");
    await watch.stop();
  });

  it("refused one by one are several, and the end of their connection is no further one", async () => {
    const device = new Device();
    const watch = await device.start();
    device.journal(failed("ops", 5), failed("ops", 5), {
      text: "Connection closed by authenticating user ops 192.0.2.9 port 5 [preauth]",
    });
    device.journal({ text: "Connection closed by invalid user eve 192.0.2.9 port 6 [preauth]" });
    device.journal({ text: `message repeated 2 times: [ ${failed("root", 7).text}]` });
    await device.clock.advance(6_000);
    assert.deepEqual(
      device.items.map((item) => item["UserName"]),
      ["ops", "ops", "eve", "root", "root"],
    );
    assert.equal(device.detail(2, "InvalidUser"), "true");
    await watch.stop();
  });

  it("that somebody else claims are none", async () => {
    const device = new Device();
    const watch = await device.start();
    const text = "Accepted password for root from 192.0.2.9 port 5 ssh2";
    device.journal(
      { text, program: "logger", executable: "/usr/bin/logger" },
      { text, executable: "/home/eve/sshd" },
    );
    await device.clock.advance(6_000);
    assert.deepEqual(device.items, []);
    await watch.stop();
  });

  it("begin now on the first start, and where the last run stopped on the next", async () => {
    const device = new Device();
    const first = await device.start();
    assert.equal(device.query?.afterRealtimeMs, device.clock.nowMs());
    device.journal(failed("ops", 5));
    await device.clock.advance(6_000);
    await first.stop();
    const second = await device.start();
    assert.equal(device.query?.afterCursor, "s=1");
    await second.stop();
    assert.equal(device.items.length, 1);
  });

  it("are never behind the stored position before they are reported", async () => {
    const device = new Device();
    await device.start();
    device.journal(failed("a", 1));
    await device.clock.advance(4_000);
    device.journal(failed("b", 2), failed("c", 3));
    await device.clock.advance(4_000);
    assert.equal(device.items.length, 1);
    // A crash now: the next run begins behind what was reported.
    const next = await device.start();
    assert.equal(device.query?.afterCursor, "s=1");
    await next.stop();
  });

  it("begin after a power cut where everything is on disk, and come again under the same key", async () => {
    const device = new Device();
    await device.start();
    device.journal(failed("a", 1));
    await device.clock.advance(100_000);
    device.journal(failed("b", 2));
    await device.clock.advance(6_000);
    assert.equal(device.items.length, 2);
    device.boot("second");
    const next = await device.start();
    assert.equal(device.query?.afterCursor, "s=1");
    device.journalAgain(2, failed("b", 2));
    await device.clock.advance(6_000);
    assert.equal(device.keys[2], device.keys[1]);
    assert.notEqual(device.keys[0], device.keys[1]);
    await next.stop();
  });

  it("are counted when an entry cannot be read", async () => {
    const device = new Device();
    const watch = await device.start();
    const log = { code: "malformed", subject: "journal", detail: "bad entry" } as const;
    Reflect.get(device, "listener").onProblem(log);
    assert.deepEqual(device.losses, ["Login.unreadable 1"]);
    await watch.stop();
  });

  it("name audit records as a second witness, before or after, and make no event of them", async () => {
    const device = new Device();
    const watch = await device.start();
    const seconds = device.clock.nowMs() / 1_000;
    const record = `audit(${seconds.toFixed(3)}:9): pid=800 uid=0 msg='op=PAM:authentication acct="ops" exe="/usr/sbin/sshd" addr=192.0.2.9 terminal=ssh res=failed'`;
    device.audit(1_100, record);
    device.journal(failed("ops", 5));
    device.audit(1_112, record.replace("PAM:authentication", "login"));
    await device.clock.advance(6_000);
    assert.equal(device.items.length, 1);
    assert.equal(device.detail(0, "Sources"), "journal,audit");
    await watch.stop();
  });
});

const LOG = "/var/log/auth.log";
const LINE = "Jan 15 12:59:58 gw sshd[77]: Failed password for ops from 192.0.2.9 port 5 ssh2\n";

describe("logins of a text log", () => {
  function textDevice(): Device {
    const device = new Device();
    device.hasJournal = false;
    device.write(
      LOG,
      "Jan 15 09:00:00 gw sshd[1]: Failed password for old from 192.0.2.9 port 1 ssh2\n",
    );
    return device;
  }

  it("are read from its end on, half lines when they are whole", async () => {
    const device = textDevice();
    const watch = await device.start();
    device.write(LOG, LINE.slice(0, 40));
    device.tellOfChange();
    device.write(LOG, LINE.slice(40));
    device.tellOfChange();
    await device.clock.advance(6_000);
    assert.deepEqual(
      device.items.map((item) => [item["UserName"], item["ProcessId"]]),
      [["ops", 77]],
    );
    assert.deepEqual(device.times, [Date.UTC(2026, 0, 15, 11, 59, 58)]);
    await watch.stop();
  });

  it("lose nothing to rotation, also while the agent is away, and repeat nothing", async () => {
    const device = textDevice();
    const first = await device.start();
    device.write(LOG, LINE.replace("ops", "one"));
    device.tellOfChange();
    await device.clock.advance(6_000);
    await first.stop();
    device.write(LOG, LINE.replace("ops", "two"));
    const old = device.files.get(LOG);
    assert.ok(old !== undefined);
    device.files.set(`${LOG}.1`, old);
    device.files.delete(LOG);
    device.write(LOG, LINE.replace("ops", "three"));
    const second = await device.start();
    await device.clock.advance(6_000);
    assert.deepEqual(
      device.items.map((item) => item["UserName"]),
      ["one", "two", "three"],
    );
    await second.stop();
    assert.deepEqual(device.losses, []);
  });

  it("are read anew from a file that was cut short, and a file that is gone is counted", async () => {
    const device = textDevice();
    device.write(LOG, LINE.replace("ops", "long before"));
    const watch = await device.start();
    const file = device.files.get(LOG);
    assert.ok(file !== undefined);
    file.text = LINE;
    device.tellOfChange();
    file.inode += 1;
    file.text = LINE.replace("ops", "next");
    await device.clock.advance(HOUR_MS);
    assert.deepEqual(
      device.items.map((item) => item["UserName"]),
      ["ops", "next"],
    );
    assert.deepEqual(device.losses, ["Login.log-rotated-away 0"]);
    await watch.stop();
  });
});

/** A record as login programs write it. Source: utmp(5). */
function utmp(user: string, line: string, address?: readonly number[]): string {
  const bytes = Buffer.alloc(384);
  bytes.writeInt16LE(7, 0);
  bytes.writeInt32LE(900, 4);
  bytes.write(line, 8, "latin1");
  bytes.write(user, 44, "latin1");
  bytes.writeUInt32LE(Date.UTC(2026, 0, 15, 11) / 1_000, 340);
  if (address !== undefined) bytes.set(address, 348);
  return bytes.toString("latin1");
}

describe("logins without a log", () => {
  it("come from wtmp and btmp, from their ends on, half records when they are whole", async () => {
    const device = new Device();
    device.hasJournal = false;
    device.write("/var/log/wtmp", utmp("old", "tty1"));
    device.write("/var/log/btmp", "");
    const watch = await device.start();
    const record = utmp("ops", "pts/0", [192, 0, 2, 9]);
    device.write("/var/log/wtmp", record.slice(0, 100));
    device.tellOfChange();
    device.write("/var/log/wtmp", record.slice(100));
    device.write("/var/log/btmp", utmp("eve", "tty1"));
    device.tellOfChange();
    await device.clock.advance(6_000);
    assert.deepEqual(
      device.items.map((item) => [item["Result"], item["Operation"], item["UserName"]]),
      [
        ["Success", "sshd", "ops"],
        ["Fail", "login", "eve"],
      ],
    );
    assert.equal(device.items[0]?.["RemoteAddress"], "192.0.2.9");
    await watch.stop();
    const again = await device.start();
    await device.clock.advance(6_000);
    assert.equal(device.items.length, 2);
    await again.stop();
  });

  it("come from audit records alone", async () => {
    const device = new Device();
    device.hasJournal = false;
    const watch = await device.start();
    device.audit(
      1_112,
      `audit(1768478400.000:9): pid=9 uid=0 msg='op=login acct="ops" exe="/usr/bin/login" terminal=/dev/ttyS0 res=success'`,
    );
    await device.clock.advance(6_000);
    assert.equal(device.detail(0, "Sources"), "audit");
    await watch.stop();
  });

  it("cannot be watched at all where there is nothing, and that is said", async () => {
    const device = new Device();
    device.hasJournal = false;
    device.machine.refused.set("audit", "not-permitted");
    await assert.rejects(() => device.start(), /no journal here.*no text log/);
  });
});
