/** Whoever follows the remediation of a rule to the letter passes it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createDevice } from "../../src/baseline/device.ts";
import { judgeRule } from "../../src/baseline/judge-rule.ts";
import type { Rule } from "../../src/baseline/rule.ts";
import { SECTION_3_1 } from "../../src/baseline/rules/section-3-1.ts";
import { SECTION_3_3 } from "../../src/baseline/rules/section-3-3.ts";
import { SECTION_4_1 } from "../../src/baseline/rules/section-4-1.ts";
import { SECTION_4_2 } from "../../src/baseline/rules/section-4-2.ts";
import { memoryRoot, type RootFiles } from "./memory-root.ts";

/** A device that no rule's lines are on yet, with what they speak of. */
const PLAIN: RootFiles = {
  "/usr/sbin/auditd": "",
  "/usr/sbin/rsyslogd": "",
  "/usr/sbin/tcpd": "",
  "/usr/lib/systemd/systemd-journald": "",
  "/lib64/ld-linux-x86-64.so.2": "",
  "/lib/modules/6.1.0/modules.dep": ["dccp", "sctp", "rds", "tipc"]
    .map((name) => `kernel/net/${name}.ko:`)
    .join("\n"),
  "/etc/apparmor.d/x": "",
  "/etc/network/interfaces": "",
  "/etc/security/limits.conf": "",
  "/etc/sudoers": "Defaults logfile=/var/log/sudo.log\n",
  "/run/utmp": "",
  "/var/run": { link: "/run" },
  "/sbin": { link: "usr/sbin" },
  "/usr/sbin/modprobe": "",
  "/var/log/lastlog": "",
  "/var/log/wtmp": "",
  "/etc/rsyslog.conf": "$IncludeConfig /etc/rsyslog.d/*.conf\n",
};

/** The file that a remediation names, of those whose lines it gives. */
const FILE =
  /\/etc\/(?:sysctl\.d|modprobe\.d|audit\/rules\.d|systemd\/journald\.conf\.d|rsyslog\.d)\/[\w.-]+|\/etc\/hosts\.\w+|\/etc\/rsyslog\.conf/;

function followed(rule: Rule): RootFiles | undefined {
  const [words = "", ...lines] = rule.remediation.split("\n");
  const path = FILE.exec(words)?.[0];
  if (path === undefined || lines.length === 0) return undefined;
  return { ...PLAIN, [path]: `${lines.join("\n")}\n` };
}

function verdict(rule: Rule, files: RootFiles): string {
  const outcome = judgeRule(rule, createDevice(memoryRoot(files, { isLive: false }), 0));
  return `${outcome.verdict} ${outcome.verdict === "pass" ? "" : JSON.stringify(outcome)}`.trim();
}

describe("the remediation of", () => {
  const rules = [...SECTION_3_1, ...SECTION_3_3, ...SECTION_4_1, ...SECTION_4_2];
  const withLines = rules.filter((rule) => followed(rule) !== undefined && rule.id !== "4.1.13");

  for (const rule of withLines) {
    it(`${rule.id} makes it pass`, () => {
      assert.equal(verdict(rule, followed(rule) ?? {}), "pass");
    });
  }

  it("most rules is given in lines, and makes a difference", () => {
    assert.ok(withLines.length >= 35, `${withLines.length}`);
    const changed = withLines.filter((rule) => !verdict(rule, PLAIN).startsWith("pass"));
    assert.ok(changed.length >= 30, `${changed.length}`);
  });
});
