import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type MemoryRootOptions,
  memoryRoot,
  type RootEntry,
  type RootFiles,
} from "../../test/baseline/memory-root.ts";
import type { Probe } from "../contract/probe.ts";
import { createDevice } from "./device.ts";
import type { Pacer } from "./pacer.ts";
import { type WalkOptions, walkFileSystems } from "./walk.ts";
import { WALK_LIST_LIMIT } from "./walk-report.ts";

const NAMES: RootFiles = {
  "/etc/passwd": "root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n",
  "/etc/group": "root:x:0:\nuser:x:1000:\n",
};
const MOUNTS = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n";
const noPacer: Pacer = { step: async () => undefined, restedMs: 0 };

function optionsOf(probe: Probe, changes: Partial<WalkOptions> = {}): WalkOptions {
  return {
    probe,
    device: createDevice(probe, 0),
    nowMs: () => 42,
    pacer: noPacer,
    signal: new AbortController().signal,
    ...changes,
  };
}

async function walked(files: RootFiles, changes: Partial<WalkOptions> = {}) {
  const report = await walkFileSystems(optionsOf(offline(files), changes));
  assert.ok(report.ok, JSON.stringify(report));
  return report.value;
}

function offline(files: RootFiles, options: MemoryRootOptions = { isLive: false }): Probe {
  return memoryRoot(files, options);
}

describe("a walk over the file systems", () => {
  it("finds open files and folders, programs with another's rights, and files of nobody", async () => {
    const report = await walked({
      ...NAMES,
      "/tmp": { kind: "folder", mode: 0o1777 },
      "/srv/drop": { kind: "folder", mode: 0o777 },
      "/srv/open": { mode: 0o666 },
      "/usr/bin/su": { mode: 0o4755 },
      "/usr/bin/wall": { mode: 0o2755 },
      "/srv/left": { userId: 4242, groupId: 4243 },
      "/srv/link": { link: "/srv/open" },
      "/dev/null": { kind: "device", mode: 0o666 },
    });
    assert.deepEqual(report.openFolders, { total: 1, paths: ["/srv/drop"] });
    assert.deepEqual(report.openFiles, { total: 1, paths: ["/srv/open"] });
    assert.deepEqual(report.setuid.paths, ["/usr/bin/su"]);
    assert.deepEqual(report.setgid.paths, ["/usr/bin/wall"]);
    assert.deepEqual(report.unknownUsers.paths, ["/srv/left"]);
    assert.deepEqual(report.unknownGroups.paths, ["/srv/left"]);
    assert.equal(report.isCut, false);
    assert.equal(report.finishedAtMs, 42);
    assert.equal(report.unread, undefined);
  });

  it("stays out of other mounts on a live device", async () => {
    const probe = memoryRoot({
      ...NAMES,
      "/proc/self/mountinfo": `${MOUNTS}2 1 0:9 / /mnt/nas rw - nfs4 nas:/ rw\n3 1 0:5 / /proc rw - proc proc rw\n`,
      "/mnt/nas/open": { mode: 0o666 },
      "/mnt/own": { mode: 0o666 },
    });
    const report = await walkFileSystems(optionsOf(probe));
    assert.ok(report.ok);
    assert.deepEqual(report.value.openFiles.paths, ["/mnt/own"]);
  });

  it("stays on the device of the root where the root does not run", async () => {
    const probe = offline({ ...NAMES, "/other/open": { mode: 0o666 }, "/open": { mode: 0o666 } });
    const facts: Probe["facts"] = (path, follow) => {
      const found = probe.facts(path, follow);
      if (!found.ok || !path.startsWith("/other")) return found;
      return { ok: true, value: { ...found.value, deviceId: 2 } };
    };
    const report = await walkFileSystems(optionsOf({ ...probeParts(probe), facts }));
    assert.ok(report.ok);
    assert.deepEqual(report.value.openFiles.paths, ["/open"]);
  });

  it("says whom it could not ask: no table of users, and folders that refuse", async () => {
    const report = await walked({
      "/etc/group": "root:x:0:\n",
      "/secret": { kind: "folder", isRefused: true },
    });
    assert.match(report.usersUnknown ?? "", /passwd/);
    assert.equal(report.groupsUnknown, undefined);
    assert.deepEqual(report.unknownUsers, { total: 0, paths: [] });
    assert.deepEqual(report.unread, { total: 1, paths: ["/secret"] });
  });

  it("counts what its lists have no room for", async () => {
    const many = Object.fromEntries(
      Array.from({ length: WALK_LIST_LIMIT + 20 }, (_, at) => [`/srv/${at}`, { mode: 0o666 }]),
    );
    const report = await walked({ ...NAMES, ...many });
    assert.equal(report.openFiles.total, WALK_LIST_LIMIT + 20);
    assert.equal(report.openFiles.paths.length, WALK_LIST_LIMIT);
  });

  it("ends at its bounds and says so", async () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`/srv/${at}`, ""]));
    const few = await walked({ ...NAMES, ...many }, { maxEntries: 20 });
    assert.deepEqual([few.isCut, few.entries], [true, 20]);
    const held = await walked({ ...NAMES, ...many }, { maxHeldNames: 10 });
    assert.equal(held.isCut, true);
    assert.ok(held.entries < 20);
  });

  it("ends when it is told to, and hands over nothing", async () => {
    const abort = new AbortController();
    let steps = 0;
    const pacer: Pacer = {
      restedMs: 0,
      step: async () => {
        steps += 1;
        if (steps === 3) abort.abort();
      },
    };
    const probe = offline({ ...NAMES, "/a/b/c/d": "" });
    const report = await walkFileSystems(optionsOf(probe, { pacer, signal: abort.signal }));
    assert.ok(!report.ok);
    assert.equal(report.problem.code, "timed-out");
    assert.equal(steps, 3);
  });

  it("sees of a random tree what the tree holds, each entry once", async () => {
    const name = fc.constantFrom("a", "b", "c", "d.e");
    const entry: fc.Arbitrary<RootEntry> = fc.record(
      {
        mode: fc.constantFrom(0o644, 0o666, 0o4755, 0o2755, 0o777),
        userId: fc.constantFrom(0, 1000, 5000),
        groupId: fc.constantFrom(0, 1000, 5000),
        link: fc.constantFrom("/", "..", "/x"),
      },
      { requiredKeys: ["mode", "userId", "groupId"] },
    );
    const paths = fc.array(fc.tuple(fc.array(name, { minLength: 1, maxLength: 5 }), entry), {
      maxLength: 25,
    });
    await fc.assert(
      fc.asyncProperty(paths, async (list) => {
        const files = new Map<string, RootEntry>();
        // A file that lies on the way to another one is a folder in the end, so it is left out.
        for (const [parts, one] of list) files.set(`/t/${parts.join("/")}`, one);
        for (const path of [...files.keys()]) {
          if ([...files.keys()].some((other) => other.startsWith(`${path}/`))) files.delete(path);
        }
        const report = await walked({ ...NAMES, ...Object.fromEntries(files) });
        const plain = [...files].flatMap(([path, one]) =>
          typeof one === "string" ? [] : [{ path, ...one }],
        );
        const regular = plain.filter((one) => one.link === undefined);
        const expect = (list: typeof plain) => list.map(({ path }) => path).sort();
        const open = regular.filter((one) => ((one.mode ?? 0) & 2) !== 0);
        assert.deepEqual([...report.openFiles.paths].sort(), expect(open));
        const setuid = regular.filter((one) => ((one.mode ?? 0) & 0o4000) !== 0);
        assert.deepEqual([...report.setuid.paths].sort(), expect(setuid));
        const orphans = plain.filter((one) => one.userId === 5000);
        assert.deepEqual([...report.unknownUsers.paths].sort(), expect(orphans));
        const folders = new Set<string>();
        for (const path of files.keys()) {
          for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
            folders.add(path.slice(0, at));
          }
        }
        // The root, /etc and its two files, every folder and every file.
        assert.equal(report.entries, 4 + folders.size + files.size);
      }),
      { numRuns: 60 },
    );
  });
});

/** The parts of a Probe that a walk uses, as an object that can be changed. */
function probeParts(probe: Probe): Probe {
  const { readText, readLink, listFolder, facts, isLive, root } = probe;
  return Object.assign(Object.create(probe) as Probe, {
    readText,
    readLink,
    listFolder,
    facts,
    isLive,
    root,
  });
}
