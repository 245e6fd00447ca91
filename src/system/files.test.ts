import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { asOtherUser } from "../../test/system/other-user.ts";
import { temporaryFolder } from "../../test/system/temporary-folder.ts";
import { AgentError } from "../contract/errors.ts";
import { ensurePrivateFolder, readSmallFile, readSmallText, writeFileAtomically } from "./files.ts";

function modeOf(path: string): number {
  return statSync(path).mode & 0o7777;
}

function isUnusable(what: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof AgentError &&
    error.code === "AGENT_STATE_UNUSABLE" &&
    what.test(error.message) &&
    error.remedy !== "";
}

describe("writing a file atomically", () => {
  it("replaces content and mode, whatever the umask, and leaves nothing else", (test) => {
    const path = join(temporaryFolder(test), "state.json");
    writeFileSync(path, "old", { mode: 0o644 });
    const umask = process.umask(0o077);
    test.after(() => process.umask(umask));
    assert.deepEqual(writeFileAtomically(path, "näu", 0o640), { ok: true, value: undefined });
    assert.equal(readFileSync(path, "utf8"), "näu");
    assert.equal(modeOf(path), 0o640);
    assert.deepEqual(readdirSync(join(path, "..")), ["state.json"]);
  });

  it("writes bytes, and more of them than one call takes", (test) => {
    const path = join(temporaryFolder(test), "big");
    const bytes = new Uint8Array(3_000_000).fill(7);
    assert.ok(writeFileAtomically(path, bytes, 0o600).ok);
    assert.equal(readFileSync(path).compare(bytes), 0);
  });

  it("replaces a link instead of writing through it", (test) => {
    const folder = temporaryFolder(test);
    writeFileSync(join(folder, "victim"), "untouched");
    symlinkSync("victim", join(folder, "state"));
    assert.ok(writeFileAtomically(join(folder, "state"), "new", 0o600).ok);
    assert.equal(readFileSync(join(folder, "victim"), "utf8"), "untouched");
    assert.throws(() => readlinkSync(join(folder, "state")));
  });

  it("that fails is a problem, keeps the old file and cleans up", (test) => {
    const folder = temporaryFolder(test);
    mkdirSync(join(folder, "taken/inside"), { recursive: true });
    const overFolder = writeFileAtomically(join(folder, "taken"), "x", 0o600);
    assert.equal(overFolder.ok, false);
    assert.deepEqual(readdirSync(folder), ["taken"]);
    const nowhere = writeFileAtomically(join(folder, "absent/file"), "x", 0o600);
    assert.ok(!nowhere.ok);
    assert.equal(nowhere.problem.code, "not-found");
  });
});

describe("reading a small file", () => {
  it("gives bytes or text within the limit", (test) => {
    const path = join(temporaryFolder(test), "f");
    writeFileSync(path, "abc");
    assert.deepEqual(readSmallText(path, 3), { ok: true, value: "abc" });
    const long = readSmallFile(path, 2);
    assert.equal(!long.ok && long.problem.code, "too-large");
    const absent = readSmallFile(`${path}x`, 2);
    assert.equal(!absent.ok && absent.problem.code, "not-found");
  });
});

describe("a private folder", () => {
  it("is made with its parents, for its owner only", (test) => {
    const path = join(temporaryFolder(test), "a/b");
    ensurePrivateFolder(path);
    assert.equal(modeOf(path), 0o700);
    ensurePrivateFolder(path);
  });

  it("that is open and empty is closed", (test) => {
    const path = join(temporaryFolder(test), "open");
    mkdirSync(path);
    chmodSync(path, 0o755);
    ensurePrivateFolder(path);
    assert.equal(modeOf(path), 0o700);
  });

  it("that is open and in use is refused, not closed: it may be the system's", (test) => {
    const path = join(temporaryFolder(test), "shared");
    mkdirSync(join(path, "other"), { recursive: true });
    chmodSync(path, 0o755);
    assert.throws(() => ensurePrivateFolder(path), isUnusable(/open to other users/));
    assert.equal(modeOf(path), 0o755);
  });

  it("cannot be a file, nor lie below one", (test) => {
    const path = join(temporaryFolder(test), "file");
    writeFileSync(path, "");
    assert.throws(() => ensurePrivateFolder(path), isUnusable(/EEXIST|not a folder/));
    assert.throws(() => ensurePrivateFolder(join(path, "x")), isUnusable(/ENOTDIR/));
  });

  it("must belong to the user and be writable", (test) => {
    const folder = temporaryFolder(test);
    const other = asOtherUser(test, folder, {
      module: "src/system/files.ts",
      body: `
        const attempt = (path) => {
          try { module.ensurePrivateFolder(path); return "usable"; }
          catch (error) { return error.code + " " + error.message; }
        };
        return [attempt(folder + "/theirs"), attempt(folder + "/closed/x"), attempt(folder + "/own")];
      `,
      prepare(userId, chown) {
        mkdirSync(join(folder, "theirs"), { mode: 0o700 });
        mkdirSync(join(folder, "closed"), { mode: 0o755 });
        mkdirSync(join(folder, "own"), { mode: 0o700 });
        chown(join(folder, "own"), userId);
      },
    });
    if (other === undefined) return;
    const [theirs, closed, own] = other;
    assert.match(theirs ?? "", /^AGENT_STATE_UNUSABLE .*belongs to user 0/);
    assert.match(closed ?? "", /^AGENT_STATE_UNUSABLE .*EACCES/);
    assert.equal(own, "usable");
    assert.equal(existsSync(join(folder, "closed/x")), false);
  });
});
