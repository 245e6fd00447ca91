import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseAuditRecord } from "../audit-record.ts";
import { readAuditLogin } from "./audit-login.ts";

/** In the words of OpenSSH, su and sudo on Debian, with auditd running. */
const AUTH = `audit(1763710000.123:456): pid=812 uid=0 auid=4294967295 ses=4294967295 subj=unconfined msg='op=PAM:authentication grantors=? acct="ops" exe="/usr/sbin/sshd" hostname=192.0.2.9 addr=192.0.2.9 terminal=ssh res=failed'`;
const LOGIN = `audit(1763710001.000:457): pid=813 uid=0 auid=1001 ses=3 msg='op=login id=1001 exe="/usr/sbin/sshd" hostname=192.0.2.9 addr=192.0.2.9 terminal=/dev/pts/0 res=success'`;
const CMD = `audit(1763710002.000:458): pid=900 uid=1001 auid=1001 ses=3 msg='cwd="/home/ops" cmd=6C73202D6C exe="/usr/bin/sudo" terminal=pts/0 res=success'`;

describe("an audit record", () => {
  it("has its time, its number and its fields, the nested and the encoded ones too", () => {
    const record = parseAuditRecord(CMD);
    assert.equal(record?.timeMs, 1_763_710_002_000);
    assert.equal(record?.serial, 458);
    assert.equal(record?.fields.get("cmd"), "ls -l");
    assert.equal(record?.fields.get("cwd"), "/home/ops");
    assert.equal(record?.fields.get("uid"), "1001");
  });

  it("may be anything", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400 }), (text) => {
        const record = parseAuditRecord(`audit(1.000:1): ${text}`);
        assert.ok(record !== undefined && record.fields.size <= 256);
        readAuditLogin(1_100, record);
      }),
    );
    assert.equal(parseAuditRecord("type=SYSCALL"), undefined);
  });
});

describe("an audit record of a login", () => {
  const read = (type: number, text: string) => {
    const record = parseAuditRecord(text);
    return record === undefined ? undefined : readAuditLogin(type, record);
  };

  it("tells who was refused, who was let in, and what was run", () => {
    assert.deepEqual(read(1_100, AUTH), {
      processId: 812,
      sighting: {
        operation: "sshd",
        result: "Fail",
        userName: "ops",
        remoteAddress: "192.0.2.9",
      },
    });
    assert.deepEqual(read(1_112, LOGIN)?.sighting, {
      operation: "sshd",
      result: "Success",
      remoteAddress: "192.0.2.9",
      terminal: "pts/0",
    });
    assert.equal(read(1_123, CMD)?.sighting.operation, "sudo");
  });

  it("that only accompanies one tells nothing", () => {
    assert.equal(read(1_103, LOGIN), undefined);
    assert.equal(read(1_100, AUTH.replace("failed", "success")), undefined);
    assert.equal(read(1_112, LOGIN.replace("success", "failed")), undefined);
    assert.equal(read(1_100, AUTH.replace("/usr/sbin/sshd", "/usr/sbin/cron")), undefined);
  });
});
