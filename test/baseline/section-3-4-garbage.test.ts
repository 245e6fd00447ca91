/** Whatever stands in the files of network, audit and log settings, a verdict comes out. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createDevice } from "../../src/baseline/device.ts";
import { judgeRule } from "../../src/baseline/judge-rule.ts";
import type { Outcome } from "../../src/baseline/outcome.ts";
import { SECTION_3_1 } from "../../src/baseline/rules/section-3-1.ts";
import { SECTION_3_3 } from "../../src/baseline/rules/section-3-3.ts";
import { SECTION_3_5 } from "../../src/baseline/rules/section-3-5.ts";
import { SECTION_4_1 } from "../../src/baseline/rules/section-4-1.ts";
import { SECTION_4_2 } from "../../src/baseline/rules/section-4-2.ts";
import { memoryRoot, type RootFiles } from "./memory-root.ts";

const RULES = [...SECTION_3_1, ...SECTION_3_3, ...SECTION_3_5, ...SECTION_4_1, ...SECTION_4_2];

/** Files that the rules read, so that each rule has something to judge. */
const PATHS = [
  ...["/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv4/conf/all/rp_filter"],
  ...["/proc/sys/net/ipv6/conf/all/accept_ra", "/proc/sys/net/ipv6/conf/all/disable_ipv6"],
  ...["/proc/cmdline", "/boot/grub/grub.cfg", "/etc/default/grub", "/etc/sysctl.d/a.conf"],
  ...["/proc/modules", "/etc/modprobe.d/a.conf", "/etc/hosts.allow", "/etc/hosts.deny"],
  ...["/sys/class/net/wlan0/flags", "/sys/class/net/wlan0/phy80211/rfkill0/soft"],
  ...["/etc/audit/auditd.conf", "/etc/audit/rules.d/a.rules", "/etc/sudoers", "/etc/login.defs"],
  ...["/etc/rsyslog.conf", "/etc/rsyslog.d/a.conf", "/etc/systemd/journald.conf"],
  ...["/etc/logrotate.conf", "/etc/logrotate.d/a", "/var/lib/dpkg/status", "/proc/sys/kernel/arch"],
  ...["/usr/lib/systemd/systemd-journald", "/usr/lib/x/libwrap.so.0", "/sbin"],
];

/** Pieces of the languages of these files, joined at random: closer to the parsers than pure noise. */
const PIECE = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom(
    ...[
      "\n",
      " ",
      "=",
      "{",
      "}",
      "(",
      ")",
      '"',
      "'",
      "#",
      "/*",
      "*/",
      "\\\n",
      "*.*",
      "@@",
      ";",
      ",",
    ],
    ...[
      "-a",
      "-w",
      "-F",
      "-S",
      "-e 2",
      "always,exit",
      "/etc",
      "path=/",
      "auid>=",
      "include",
      "file=",
    ],
    ...[
      "$IncludeConfig /etc/*.conf",
      "action(",
      "type=",
      "net.ipv4.conf.*.",
      "rp_filter",
      "linux ",
    ],
    ...[
      "GRUB_CMDLINE_LINUX=",
      "[Journal]",
      "Storage",
      "Package: ",
      "Defaults logfile=",
      "\0",
      "0x1",
    ],
  ),
);
const TEXT = fc.array(PIECE, { maxLength: 30 }).map((pieces) => pieces.join(""));
const FILES = fc.dictionary(fc.constantFrom(...PATHS), TEXT, { maxKeys: 12 });

function outcomes(files: RootFiles, isLive: boolean): readonly Outcome[] {
  const device = createDevice(memoryRoot(files, { isLive }), 0);
  return RULES.map((rule) => judgeRule(rule, device));
}

describe("rules of sections 3 and 4", () => {
  it("give a verdict with a word why for any text in their files", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(FILES, fc.boolean(), (files, isLive) => {
        for (const { verdict, evidence, reason } of outcomes(files, isLive)) {
          seen.add(verdict);
          assert.ok(["pass", "fail", "not-applicable", "manual", "error"].includes(verdict));
          assert.ok(evidence.length > 0 || (reason ?? "") !== "");
        }
      }),
      { numRuns: 150 },
    );
    for (const verdict of ["fail", "not-applicable", "error"])
      assert.ok(seen.has(verdict), verdict);
  });

  it("say the same whatever the order and the grouping of audit rules", () => {
    const calls = ["unlink", "unlinkat", "rename", "renameat"];
    const rule = SECTION_4_1.find(({ id }) => id === "4.1.15");
    assert.ok(rule !== undefined);
    const lines = (grouped: readonly (readonly string[])[]) =>
      grouped.flatMap((group) =>
        ["b64", "b32"].map(
          (arch) => `-a always,exit -F arch=${arch} -S ${group.join(",")} -F auid>=1000`,
        ),
      );
    const verdict = (text: string): string => {
      const files = { "/sbin/auditd": "", "/lib64/x": "", "/etc/audit/rules.d/a.rules": text };
      return judgeRule(rule, createDevice(memoryRoot(files), 0)).verdict;
    };
    const some = fc.shuffledSubarray(calls, { minLength: 1 });
    fc.assert(
      fc.property(fc.array(some, { minLength: 1, maxLength: 5 }), fc.nat(), (groups, seed) => {
        const all = lines(groups);
        const turned = [...all.slice(seed % all.length), ...all.slice(0, seed % all.length)];
        const isWhole = calls.every((call) => groups.some((group) => group.includes(call)));
        assert.equal(verdict(turned.join("\n")), isWhole ? "pass" : "fail");
      }),
      { numRuns: 100 },
    );
  });

  it("judge long files in one go", () => {
    const long = `${"a ".repeat(100_000)}\n${'"('.repeat(20_000)}\n${"*.*;".repeat(20_000)}`;
    const files = Object.fromEntries(PATHS.map((path) => [path, long]));
    assert.equal(outcomes(files, true).length, RULES.length);
  });
});
