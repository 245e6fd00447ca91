import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readLoginText } from "./read-message.ts";
import type { LoginSighting } from "./sighting.ts";

function sighting(program: string, text: string): LoginSighting | undefined {
  const message = readLoginText(program, text);
  return message?.kind === "sighting" ? message.sighting : undefined;
}

type Row = readonly [program: string, text: string, expected: LoginSighting];

const SSH_OK = { operation: "sshd", result: "Success" } as const;
const SSH_FAIL = { operation: "sshd", result: "Fail" } as const;

/** Messages in the words of OpenSSH 9.2 and 10.0, util-linux 2.38 and 2.41, shadow 4.13, sudo 1.9, dropbear 2022. */
const LOGINS: readonly Row[] = [
  [
    "sshd",
    "Accepted password for ops from 192.0.2.9 port 50022 ssh2",
    {
      ...SSH_OK,
      userName: "ops",
      remoteAddress: "192.0.2.9",
      remotePort: 50_022,
      method: "password",
    },
  ],
  [
    "sshd-session",
    "Accepted publickey for ops from 2001:db8::9 port 50022 ssh2: ED25519 SHA256:abc/+def",
    {
      ...SSH_OK,
      userName: "ops",
      remoteAddress: "2001:db8::9",
      remotePort: 50_022,
      method: "publickey",
    },
  ],
  [
    "sshd",
    "Failed password for ops from 192.0.2.9 port 50022 ssh2",
    {
      ...SSH_FAIL,
      userName: "ops",
      remoteAddress: "192.0.2.9",
      remotePort: 50_022,
      method: "password",
    },
  ],
  [
    "sshd-auth",
    "Failed password for invalid user admin from 192.0.2.9 port 1 ssh2",
    {
      ...SSH_FAIL,
      userName: "admin",
      remoteAddress: "192.0.2.9",
      remotePort: 1,
      method: "password",
      isInvalidUser: true,
    },
  ],
  [
    "sshd",
    "message repeated 2 times: [ Failed password for root from 192.0.2.9 port 5 ssh2]",
    {
      ...SSH_FAIL,
      userName: "root",
      remoteAddress: "192.0.2.9",
      remotePort: 5,
      method: "password",
      attempts: 2,
    },
  ],
  [
    "su",
    "(to root) ops on pts/1",
    { operation: "su", result: "Success", userName: "root", byUser: "ops", terminal: "pts/1" },
  ],
  [
    "su",
    "FAILED SU (to root) ops on pts/1",
    { operation: "su", result: "Fail", userName: "root", byUser: "ops", terminal: "pts/1" },
  ],
  [
    "su",
    "(to ops) root on none",
    { operation: "su", result: "Success", userName: "ops", byUser: "root" },
  ],
  [
    "sudo",
    "     ops : TTY=pts/0 ; PWD=/home/ops ; USER=root ; COMMAND=/usr/bin/id -u ; USER=x",
    {
      operation: "sudo",
      result: "Success",
      userName: "root",
      byUser: "ops",
      command: "/usr/bin/id -u ; USER=x",
      terminal: "pts/0",
    },
  ],
  [
    "sudo",
    "     ops : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
    {
      operation: "sudo",
      result: "Fail",
      userName: "root",
      byUser: "ops",
      command: "/bin/ls",
      terminal: "pts/0",
      reason: "password",
      attempts: 3,
    },
  ],
  [
    "sudo",
    " mallory : user NOT in sudoers ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
    {
      operation: "sudo",
      result: "Fail",
      userName: "root",
      byUser: "mallory",
      command: "/bin/ls",
      reason: "not in sudoers",
    },
  ],
  [
    "login",
    "FAILED LOGIN (1) on '/dev/ttyS0' FOR 'ops', Authentication failure",
    { operation: "login", result: "Fail", userName: "ops", terminal: "ttyS0" },
  ],
  [
    "login",
    "FAILED LOGIN 1 FROM ttyS0 FOR ops, Authentication failure",
    { operation: "login", result: "Fail", userName: "ops", terminal: "ttyS0" },
  ],
  [
    "login",
    "LOGIN ON ttyS0 BY ops",
    { operation: "login", result: "Success", userName: "ops", terminal: "ttyS0" },
  ],
  [
    "login",
    "ROOT LOGIN  on '/dev/ttyS0'",
    { operation: "login", result: "Success", userName: "root", terminal: "ttyS0" },
  ],
  [
    "login",
    "pam_unix(login:session): session opened for user ops(uid=1001) by LOGIN(uid=0)",
    { operation: "login", result: "Success", userName: "ops", isByPam: true },
  ],
  [
    "dropbear",
    "Password auth succeeded for 'root' from 192.0.2.9:50022",
    {
      operation: "dropbear",
      result: "Success",
      userName: "root",
      remoteAddress: "192.0.2.9",
      remotePort: 50_022,
      method: "password",
    },
  ],
  [
    "dropbear",
    "Pubkey auth succeeded for 'root' with ssh-ed25519 key SHA256:abc from 2001:db8::9:50022",
    {
      operation: "dropbear",
      result: "Success",
      userName: "root",
      remoteAddress: "2001:db8::9",
      remotePort: 50_022,
      method: "publickey",
    },
  ],
  [
    "dropbear",
    "Bad password attempt for 'root' from 192.0.2.9:50022",
    {
      operation: "dropbear",
      result: "Fail",
      userName: "root",
      remoteAddress: "192.0.2.9",
      remotePort: 50_022,
      method: "password",
    },
  ],
  [
    "dropbear",
    "Login attempt for nonexistent user from 192.0.2.9:50022",
    {
      operation: "dropbear",
      result: "Fail",
      userName: "",
      remoteAddress: "192.0.2.9",
      remotePort: 50_022,
      isInvalidUser: true,
    },
  ],
  [
    "gdm-password]",
    "pam_unix(gdm-password:session): session opened for user ops(uid=1001) by (uid=0)",
    { operation: "gdm-password", result: "Success", userName: "ops", isByPam: true },
  ],
  [
    "vsftpd",
    "pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=x rhost=192.0.2.9  user=ops",
    {
      operation: "vsftpd",
      result: "Fail",
      isByPam: true,
      userName: "ops",
      terminal: "ftp",
      remoteAddress: "192.0.2.9",
    },
  ],
];

/** What accompanies a login, and is none of its own. */
const SILENT: readonly (readonly [program: string, text: string])[] = [
  ["sshd", "pam_unix(sshd:session): session opened for user ops(uid=1001) by (uid=0)"],
  [
    "sshd",
    "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.9  user=ops",
  ],
  ["sshd", "Failed none for invalid user admin from 192.0.2.9 port 1 ssh2"],
  ["sshd", "Invalid user admin from 192.0.2.9 port 1"],
  ["sshd", "Connection closed by 192.0.2.9 port 1 [preauth]"],
  ["su", "pam_unix(su:session): session opened for user root(uid=0) by ops(uid=1001)"],
  [
    "su",
    "pam_unix(su-l:auth): authentication failure; logname=ops uid=1001 euid=0 tty=/dev/pts/1 ruser=ops rhost=  user=root",
  ],
  ["sudo", "pam_unix(sudo:session): session opened for user root(uid=0) by ops(uid=1001)"],
  ["sudo", "pam_unix(sudo:auth): conversation failed"],
  ["CRON", "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)"],
  [
    "(systemd)",
    "pam_unix(systemd-user:session): session opened for user ops(uid=1001) by ops(uid=0)",
  ],
  [
    "login",
    "pam_unix(login:auth): authentication failure; logname=LOGIN uid=0 euid=0 tty=/dev/ttyS0 ruser= rhost=  user=ops",
  ],
  ["login", "pam_unix(login:session): session closed for user ops"],
  ["logger", "Accepted password for root from 192.0.2.9 port 5 ssh2"],
];

describe("a message of the log", () => {
  for (const [program, text, expected] of LOGINS) {
    it(`tells a login: ${program}: ${text.slice(0, 60)}`, () => {
      assert.deepEqual(sighting(program, text), expected);
    });
  }

  it("that accompanies a login, or that somebody else wrote, tells none", () => {
    for (const [program, text] of SILENT)
      assert.equal(readLoginText(program, text), undefined, text);
  });

  it("keeps a hostile user name from passing for the rest", () => {
    const name = "x from 198.51.100.1 port 22 ssh2: y";
    const failed = sighting(
      "sshd",
      `Failed password for invalid user ${name} from 192.0.2.9 port 7 ssh2`,
    );
    assert.deepEqual(
      [failed?.userName, failed?.remoteAddress, failed?.remotePort],
      [name, "192.0.2.9", 7],
    );
    const lines = "a\nAccepted password for root";
    const split = sighting(
      "sshd",
      `Failed password for invalid user ${lines} from 192.0.2.9 port 7 ssh2`,
    );
    assert.deepEqual([split?.result, split?.userName], ["Fail", lines]);
    const sudo = sighting(
      "sudo",
      "ops : TTY=pts/0 ; PWD=/x ; USER=root ; COMMAND=/bin/sh -c COMMAND=y",
    );
    assert.equal(sudo?.command, "/bin/sh -c COMMAND=y");
  });

  it("tells of a connection that ended before anybody was let in", () => {
    const text = "Connection closed by invalid user a b 192.0.2.9 port 7 [preauth]";
    assert.deepEqual(readLoginText("sshd-session", text), {
      kind: "abandoned",
      connection: {
        operation: "sshd",
        userName: "a b",
        isInvalidUser: true,
        remoteAddress: "192.0.2.9",
        remotePort: 7,
      },
    });
  });

  it("may be anything", () => {
    const program = fc.constantFrom("sshd", "su", "sudo", "login", "dropbear", "other");
    fc.assert(
      fc.property(program, fc.string({ maxLength: 300 }), (name, text) => {
        const message = readLoginText(name, text);
        assert.ok(message === undefined || message.kind.length > 0);
      }),
    );
    const start = performance.now();
    readLoginText("sshd", `Failed password for ${" from ".repeat(100_000)}`);
    readLoginText("login", `FAILED LOGIN 1 FROM x FOR ${"a, ".repeat(100_000)}`);
    assert.ok(performance.now() - start < 2_000);
  });
});
