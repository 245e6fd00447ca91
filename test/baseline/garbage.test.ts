/** Whatever a device holds, each rule gives a verdict, and an error says why. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createDevice } from "../../src/baseline/device.ts";
import { judgeRule } from "../../src/baseline/judge-rule.ts";
import { RULES } from "../../src/baseline/rules/index.ts";
import type { Probe } from "../../src/contract/probe.ts";
import { fail, ok } from "../../src/contract/result.ts";

const VERDICTS = ["pass", "fail", "not-applicable", "manual", "error"];

/** Lines that are nearly what files hold. */
const LINE = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.constantFrom(
    "root:x:0:0:root:/root:/bin/sh",
    "root::",
    "tmpfs /tmp tmpfs nosuid",
    "/dev/sda1 / ext4",
    "install cramfs",
    "service {",
    "}",
    "\tlinux /vmlinuz quiet",
    "[Service",
    "ExecStart=",
    "Package: ",
    "Status: install ok installed",
    "x (complain)",
    "net.ipv4.ip_forward = ",
    "auth [default=ignore",
    "flags : ",
    "\\",
    "a=b=c",
    "-w",
    "\0",
    "\u202e",
  ),
);
const TEXT = fc.oneof(
  fc.array(LINE, { maxLength: 12 }).map((lines) => lines.join("\n")),
  fc.string({ unit: "binary", maxLength: 300 }),
);

const NAMES = fc.array(
  fc.oneof(
    fc.constantFrom("a.conf", "x.service.d", "multi-user.target.wants", "1", "99", "6.1.0", "x.ko"),
    fc
      .string({ minLength: 1, maxLength: 12 })
      .filter((name) => !/[/\0]/.test(name) && name !== "."),
  ),
  { maxLength: 6 },
);

interface Garbage {
  readonly texts: readonly string[];
  readonly names: readonly (readonly string[])[];
  readonly isLive: boolean;
  readonly seed: number;
}

/** A device on which each path answers with one of a few texts, lists, refusals and absences. */
function garbageProbe({ texts, names, isLive, seed }: Garbage): Probe {
  const pick = (path: string, count: number): number => {
    let hash = seed;
    for (const letter of path) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
    return hash % count;
  };
  const answers: Partial<Probe> = {
    root: "/",
    isLive,
    readText(path) {
      const at = pick(path, texts.length + 2);
      if (at === texts.length) return fail("not-found", path, "no such file");
      return at > texts.length ? fail("not-permitted", path, "refused") : ok(texts[at] ?? "");
    },
    readLink: (path) => ok(pick(path, 2) === 0 ? "/dev/null" : `../${path}`),
    listFolder(path) {
      // A folder without end would be walked without end.
      if (path.split("/").length > 8) return fail("not-found", path, "no such folder");
      const at = pick(path, names.length + 2);
      if (at === names.length) return fail("not-found", path, "no such folder");
      return at > names.length ? fail("not-permitted", path, "refused") : ok(names[at] ?? []);
    },
    facts(path) {
      const kind = (["file", "folder", "device", "link"] as const)[pick(path, 4)] ?? "file";
      return ok({
        kind,
        mode: pick(path, 0o10000),
        userId: pick(path, 2),
        groupId: pick(path, 3),
        sizeBytes: pick(path, 5),
        modifiedMs: 0,
        inode: 1,
        deviceId: 1,
      });
    },
    listeningSockets: () => fail("malformed", "sockets", "garbage"),
  };
  return new Proxy(answers, {
    get: (target, name) =>
      Reflect.get(target, name) ?? (() => fail("unsupported", String(name), "garbage")),
    // The Proxy answers for every member of the interface.
  }) as Probe;
}

const GARBAGE = fc.record({
  texts: fc.array(TEXT, { minLength: 1, maxLength: 5 }),
  names: fc.array(NAMES, { minLength: 1, maxLength: 3 }),
  isLive: fc.boolean(),
  seed: fc.nat(),
});

describe("a device full of garbage", () => {
  it("gets a verdict from each rule, and a word with each error", () => {
    fc.assert(
      fc.property(GARBAGE, (garbage) => {
        const device = createDevice(garbageProbe(garbage), 1_767_225_600_000);
        for (const rule of RULES) {
          const { verdict, reason, evidence } = judgeRule(rule, device);
          assert.ok(VERDICTS.includes(verdict), rule.id);
          if (verdict === "error") assert.notEqual(reason ?? "", "", rule.id);
          if (verdict === "pass" || verdict === "fail") assert.ok(evidence.length > 0, rule.id);
          for (const look of evidence) {
            assert.ok(look.found.length <= 200 && look.source.length <= 200, rule.id);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("is an error where every file is refused", () => {
    const probe = garbageProbe({ texts: [], names: [], isLive: true, seed: 1 });
    const refusing: Probe = { ...probe, isLive: true, root: "/" };
    const refuse = (path: string) => fail("not-permitted", path, "refused");
    const device = createDevice(
      {
        ...refusing,
        readText: refuse,
        readLink: refuse,
        listFolder: refuse,
        facts: refuse,
        listeningSockets: () => fail("not-permitted", "sockets", "refused"),
      },
      0,
      {
        walk: { state: "unreadable", reason: "refused" },
        firewall: { state: "unreadable", reason: "refused" },
      },
    );
    const others = RULES.filter((rule) => !("manual" in rule.check)).flatMap((rule) => {
      const { verdict, reason = "" } = judgeRule(rule, device);
      return verdict === "error" && reason.includes("refused") ? [] : [[rule.id, verdict, reason]];
    });
    assert.deepEqual(others, []);
  });
});
