import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { commandOutput } from "../../src/baseline/sca/commands/run.ts";
import { parseScript, splitArguments } from "../../src/baseline/sca/commands/words.ts";
import { device, FIREWALL, output } from "./sca-device.ts";

test("commands that are not known are named, and those that are not installed are not run", () => {
  const known = commandOutput("frobnicate --all", device("frobnicate"));
  assert.deepEqual(known, {
    state: "not-known",
    reason: "the command frobnicate is not known here",
  });
  assert.deepEqual(commandOutput("frobnicate", device("sh")), {
    state: "no-program",
    name: "frobnicate",
  });
  assert.deepEqual(commandOutput('"systemctl is-active x"', device("systemctl")), {
    state: "no-program",
    name: "systemctl is-active x",
  });
  assert.equal(output('sh -c "cat /x; nosuch"', device("sh cat")), "no-program");
  assert.equal(
    output('sh -c "nosuch | wc -l; cat /x"', device("sh cat wc")),
    "sh: 1: nosuch: not found\ncat: /x: No such file or directory\n0\n",
  );
});

test("shell scripts beyond lists and pipes are left alone", () => {
  for (const script of [
    "cat $HOME",
    "a && b",
    "a || b",
    "a > /x",
    "$(a)",
    "`a`",
    "for x in y; do z; done | (a)",
    "",
    "|",
    "a |",
    '"a',
    "a;;b",
  ]) {
    assert.equal(parseScript(script), undefined, script);
  }
  assert.equal(parseScript("a 'b c' | d & e")?.length, 2);
});

test("words are split as the engine splits them", () => {
  assert.deepEqual(splitArguments('stat -Lc "%a %A" /x\\ y ""'), [
    "stat",
    "-Lc",
    "%a %A",
    "/x y",
    "",
  ]);
  assert.deepEqual(splitArguments("a 'b c'"), ["a", "'b", "c'"]);
});

test("no command and no file makes an emulator throw", () => {
  const names =
    "sh cat grep cut find stat awk sort uniq wc dpkg dpkg-query systemctl sysctl sshd modprobe lsmod findmnt mount passwd useradd sudo crontab ps auditctl augenrules aa-status sestatus journalctl ss nft iptables ufw nmcli which";
  const word = fc.oneof(
    fc.constantFrom(
      ...names.split(" "),
      "-s",
      "-L",
      "-c",
      "-T",
      "list",
      "status",
      "is-enabled",
      "show",
      "x",
      "/etc",
      "/etc/x",
      "|",
      "'",
      '"',
      "-exec",
      "{}",
      "+",
      "(",
      "%a",
      "-E",
      "[",
    ),
    fc.string({ maxLength: 4 }),
  );
  const text = fc.oneof(
    fc.string(),
    fc.constant("a:b:c\nPackage: \n-w\n[Install]\nDefaults timestamp_timeout=\n"),
  );
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 6 }),
      text,
      fc.boolean(),
      (words, content, isLive) => {
        const files = [
          "/etc/x",
          "/etc/passwd",
          "/etc/shadow",
          "/etc/sudoers",
          "/var/lib/dpkg/status",
          "/etc/ssh/sshd_config",
          "/proc/modules",
          "/proc/self/mounts",
          "/etc/audit/audit.rules",
          "/usr/lib/systemd/system/x.service",
        ];
        const on = device(names, Object.fromEntries(files.map((path) => [path, content])), {
          isLive,
          firewall: FIREWALL,
        });
        for (const command of [words.join(" "), `sh -c "${words.join(" ")}"`])
          commandOutput(command, on);
      },
    ),
    { numRuns: 500 },
  );
});
