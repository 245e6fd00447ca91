import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { asOtherUser } from "../../test/system/other-user.ts";
import { temporaryFolder } from "../../test/system/temporary-folder.ts";
import { allowsColour, capabilities, environment, memory } from "./environment.ts";

describe("the environment", () => {
  it("is what the process was started with", () => {
    const facts = environment();
    assert.equal(facts.processId, process.pid);
    assert.equal(facts.nodeVersion, process.version.slice(1));
    assert.equal(facts.isRoot, process.getuid?.() === 0);
    assert.equal(facts.variables["PATH"], process.env["PATH"]);
    assert.equal(facts.scriptPath, fileURLToPath(import.meta.url));
  });

  it("takes an empty CREDENTIALS_DIRECTORY for none", (test) => {
    test.after(() => delete process.env["CREDENTIALS_DIRECTORY"]);
    process.env["CREDENTIALS_DIRECTORY"] = "";
    assert.equal(environment().credentialsDirectory, undefined);
    process.env["CREDENTIALS_DIRECTORY"] = "/run/credentials/x";
    assert.equal(environment().credentialsDirectory, "/run/credentials/x");
  });

  it("allows colour unless NO_COLOR is set or the terminal is dumb", () => {
    assert.equal(allowsColour({ TERM: "xterm" }), true);
    assert.equal(allowsColour({ NO_COLOR: "" }), true);
    assert.equal(allowsColour({ NO_COLOR: "1" }), false);
    assert.equal(allowsColour({ TERM: "dumb" }), false);
  });

  it("knows the memory of the process", () => {
    const facts = memory();
    assert.ok(facts.residentBytes > facts.heapUsedBytes);
    assert.ok(facts.heapUsedBytes > 1_000_000);
  });

  it("knows that an unprivileged user has no capabilities", (test) => {
    const lost = asOtherUser(test, temporaryFolder(test), {
      module: "src/system/environment.ts",
      body: `const found = module.capabilities();
        return [String(found.ok), String(found.value), String(module.environment().isRoot)];`,
      prepare: () => undefined,
    });
    if (lost !== undefined) assert.deepEqual(lost, ["true", "", "false"]);
  });

  it("knows capabilities by name", () => {
    const found = capabilities();
    assert.ok(found.ok);
    for (const name of found.value) assert.match(name, /^CAP_[A-Z_0-9]+$/);
  });
});
