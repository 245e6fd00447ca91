/** Packages of rpm systems, by the files that rpm keeps. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createDevice } from "../../src/baseline/device.ts";
import type { Fact } from "../../src/baseline/fact.ts";
import type { PackageList } from "../../src/baseline/facts/package-list.ts";
import { packages } from "../../src/baseline/facts/packages.ts";
import { sshdVersion } from "../../src/baseline/facts/sshd-version.ts";
import { judgePackage } from "../../src/baseline/primitives/package.ts";
import type { Probe } from "../../src/contract/probe.ts";
import { ok } from "../../src/contract/result.ts";
import { createProbe } from "../../src/system/probe.ts";
import { scratchFolder } from "../support/scratch-folder.ts";
import { memoryRoot } from "./memory-root.ts";
import { ndbDatabase, RPM_DATABASE, RPM_LIST, RPM_WAL, rpmHeaders } from "./rpm-database.ts";

const FILE = "/usr/lib/sysimage/rpm/rpmdb.sqlite";

type Files = Readonly<Record<string, Uint8Array>>;

function probeOf(files: Files): Probe {
  const texts = Object.entries(files).map(
    ([path, bytes]) => [path, Buffer.from(bytes).toString("latin1")] as const,
  );
  return memoryRoot(Object.fromEntries(texts));
}

function packagesOf(files: Files): Fact<PackageList> {
  return packages(createDevice(probeOf(files), 0));
}

function linesOf(fact: Fact<PackageList>): readonly string[] {
  if (fact.state !== "value") return [fact.state === "missing" ? "missing" : fact.reason];
  const { versions } = fact.value;
  return [...versions.keys()].map((name) => `${name} ${versions.get(name)}`).sort();
}

/** Of a name that is there twice the latest. */
const LATEST = RPM_LIST.filter((line) => !line.includes("427"));

describe("the packages of an rpm system", () => {
  it("are those that rpm lists, from SQLite in either folder", () => {
    assert.deepEqual(linesOf(packagesOf({ [FILE]: RPM_DATABASE })), LATEST);
    assert.deepEqual(linesOf(packagesOf({ "/var/lib/rpm/rpmdb.sqlite": RPM_DATABASE })), LATEST);
  });

  it("are those that rpm lists, from ndb", () => {
    const database = ndbDatabase(rpmHeaders());
    assert.deepEqual(linesOf(packagesOf({ "/var/lib/rpm/Packages.db": database })), LATEST);
  });

  it("count what is committed in the write-ahead log", () => {
    const list = packagesOf({ [FILE]: RPM_DATABASE, [`${FILE}-wal`]: RPM_WAL });
    const names = linesOf(list).map((line) => line.split(" ")[0]);
    assert.ok(names.includes("late-comer") && !names.includes("tcp_wrappers-libs"));
    // Its header is that of another package: such a version is not believed.
    assert.ok(linesOf(list).includes("late-comer "));
  });

  it("tell the version of the SSH server", () => {
    const device = createDevice(probeOf({ [FILE]: RPM_DATABASE }), 0);
    assert.deepEqual(sshdVersion(device), { major: 8, minor: 7 });
    const outcome = judgePackage(
      { test: "package", names: ["openssh-ser*"], want: "installed" },
      device,
    );
    assert.equal(outcome.verdict, "pass");
    assert.equal(outcome.evidence[0]?.found, "openssh-server 8.7p1-38.el9");
  });

  it("are read in parts: neither the file nor a header is loaded whole", () => {
    const probe = probeOf({ [FILE]: RPM_DATABASE });
    let readBytes = 0;
    const counted: Probe = {
      ...probe,
      isLive: true,
      readBytes: () => assert.fail("the file was read whole"),
      readText: probe.readText,
      listFolder: probe.listFolder,
      facts: probe.facts,
      readFrom(path, offset, maxBytes) {
        readBytes += maxBytes;
        return probe.readFrom(path, offset, maxBytes);
      },
    };
    const list = packages(createDevice(counted, 0));
    assert.equal(list.state, "value");
    assert.ok(readBytes > 0 && readBytes < 40_000, `${readBytes} bytes for the names`);
  });

  const unread: readonly [what: string, files: Files, reason: RegExp][] = [
    ["an empty file", { [FILE]: new Uint8Array() }, /ends before/],
    ["a file cut short", { [FILE]: RPM_DATABASE.subarray(0, 20_000) }, /ends before/],
    ["a Berkeley DB", { "/var/lib/rpm/Packages": Buffer.alloc(9) }, /Berkeley DB.*rebuilddb/],
    ["an ndb without packages", { "/var/lib/rpm/Packages.db": ndbDatabase([]) }, /no package/],
    [
      "a transaction that was cut short",
      {
        [FILE]: RPM_DATABASE,
        [`${FILE}-journal`]: Buffer.from("d9d505f920a163d700000001", "hex"),
      },
      /transaction/,
    ],
  ];
  for (const [what, files, reason] of unread) {
    it(`are unreadable with a reason: ${what}`, () => {
      const fact = packagesOf(files);
      assert.match(fact.state === "unreadable" ? fact.reason : fact.state, reason);
      const check = { test: "package", names: ["xinetd"], want: "absent" } as const;
      const outcome = judgePackage(check, createDevice(probeOf(files), 0));
      assert.equal(outcome.verdict, "error");
      assert.match(outcome.reason ?? "", reason);
    });
  }

  it("are read again where the file changed meanwhile, and unreadable where it always does", () => {
    for (const [changes, expected] of [
      [2, LATEST.length],
      [1000, 1],
    ] as const) {
      const probe = probeOf({ [FILE]: RPM_DATABASE });
      let asked = 0;
      const changing: Probe = {
        ...probe,
        isLive: true,
        readText: probe.readText,
        listFolder: probe.listFolder,
        readFrom: probe.readFrom,
        facts(path, follow) {
          const facts = probe.facts(path, follow);
          asked += 1;
          return facts.ok ? ok({ ...facts.value, modifiedMs: Math.min(asked, changes) }) : facts;
        },
      };
      const lines = linesOf(packages(createDevice(changing, 0)));
      assert.equal(lines.length, expected);
      if (expected === 1) assert.match(lines[0] ?? "", /changes while it is read/);
    }
  });

  it("of a damaged database are a list or a reason", () => {
    const change = fc.tuple(fc.nat(RPM_DATABASE.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 20 }), (changes) => {
        const file = Buffer.from(RPM_DATABASE);
        for (const [at, value] of changes) file[at] = value;
        const fact = packagesOf({ [FILE]: file });
        assert.notEqual(fact.state, "missing");
        assert.ok(linesOf(fact).every((line) => line.length > 0));
      }),
      { numRuns: 40 },
    );
  });
});

const hasRpm = spawnSync("rpm", ["--version"]).status === 0;
const skip = hasRpm ? false : "the Debian package rpm is not installed";

describe("rpm itself", { skip }, () => {
  const folder = scratchFolder("rpm");

  it("lists the same packages of the same files", () => {
    const path = join(folder.path, "usr/lib/sysimage/rpm");
    spawnSync("mkdir", ["-p", path]);
    writeFileSync(join(path, "rpmdb.sqlite"), RPM_DATABASE);
    const mine = linesOf(packages(createDevice(createProbe({ root: folder.path }), 0)));
    const format = "%{NAME} %|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\\n";
    const run = spawnSync("rpm", ["--dbpath", path, "-qa", "--qf", format], { timeout: 20_000 });
    const theirs = run.stdout.toString().trim().split("\n").sort();
    assert.deepEqual(theirs, RPM_LIST);
    assert.deepEqual(mine, LATEST);
  });
});
