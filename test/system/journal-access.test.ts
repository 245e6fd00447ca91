/** Whether the journal may be read, for users with and without the right. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { checkJournalAccess } from "../../src/system/journal-access.ts";
import { asOtherUser } from "./other-user.ts";
import { temporaryFolder } from "./temporary-folder.ts";

function answer(folders: readonly string[]): string {
  const checked = checkJournalAccess(folders);
  return checked.ok ? "ok" : checked.problem.code;
}

/** A folder of a machine with files of these modes, as journald leaves them. */
function machineFolder(folder: string, files: Readonly<Record<string, number>>): string {
  const machine = join(folder, "0123456789abcdef0123456789abcdef");
  mkdirSync(machine, { mode: 0o755 });
  for (const [name, mode] of Object.entries(files)) {
    writeFileSync(join(machine, name), "");
    chmodSync(join(machine, name), mode);
  }
  return machine;
}

describe("access to the journal", () => {
  it("needs one of the folders", (test) => {
    const folder = temporaryFolder(test);
    assert.equal(answer([join(folder, "a"), join(folder, "b")]), "not-found");
    assert.equal(answer([join(folder, "a"), folder]), "ok");
  });

  it("is there when a file of a machine can be opened", (test) => {
    const folder = temporaryFolder(test);
    machineFolder(folder, { "system.journal": 0o640 });
    assert.equal(answer([folder]), "ok");
  });

  it("is refused to a user who may read only the file of its own", (test) => {
    const folder = temporaryFolder(test);
    const results = asOtherUser(test, folder, {
      module: "src/system/journal-access.ts",
      prepare: () => machineFolder(folder, { "system.journal": 0o640, "user-1.journal": 0o644 }),
      body: `
        const { ok, problem } = module.checkJournalAccess([folder]);
        return ok ? ["ok"] : [problem.code, problem.detail];
      `,
    });
    if (results === undefined) return;
    assert.deepEqual(results, [
      "not-permitted",
      "needs the group systemd-journal or CAP_DAC_READ_SEARCH",
    ]);
  });

  it("is refused to a user who may not list the folder of the machine", (test) => {
    const folder = temporaryFolder(test);
    const results = asOtherUser(test, folder, {
      module: "src/system/journal-access.ts",
      prepare: () => chmodSync(machineFolder(folder, { "system.journal": 0o644 }), 0o750),
      body: "return [module.checkJournalAccess([folder]).problem?.code];",
    });
    if (results === undefined) return;
    assert.deepEqual(results, ["not-permitted"]);
  });

  it("is there for any user whom one file of the system is open to", (test) => {
    const folder = temporaryFolder(test);
    const results = asOtherUser(test, folder, {
      module: "src/system/journal-access.ts",
      prepare: () => machineFolder(folder, { "system@1.journal": 0o640, "system.journal": 0o644 }),
      body: "return [String(module.checkJournalAccess([folder]).ok)];",
    });
    if (results === undefined) return;
    assert.deepEqual(results, ["true"]);
  });
});
