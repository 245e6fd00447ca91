import assert from "node:assert/strict";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { asOtherUser } from "../../test/system/other-user.ts";
import { temporaryFolder } from "../../test/system/temporary-folder.ts";
import { AgentError, type AgentErrorCode } from "../contract/errors.ts";
import { readSecret } from "./secrets.ts";

const KEY = "bm90IGEgcmVhbCBrZXk=";

function secretFile(test: TestContext, content: string | Uint8Array, mode = 0o600): string {
  const path = join(temporaryFolder(test), "key");
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

/** The error has that code, a remedy, and nothing of the secret anywhere. */
function refuses(code: AgentErrorCode, action: () => string): AgentError {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof AgentError);
    assert.equal(error.code, code);
    assert.notEqual(error.remedy, "");
    const everything = `${error.message} ${error.remedy} ${String(error.cause)} ${error.stack}`;
    assert.ok(!everything.includes(KEY), "the error holds the secret");
    return error;
  }
  return assert.fail("the secret was accepted");
}

describe("a secret", () => {
  it("is the text of a private file without one trailing newline", (test) => {
    assert.equal(readSecret(secretFile(test, `${KEY}\n`), "the device key"), KEY);
    assert.equal(readSecret(secretFile(test, `${KEY}\r\n`, 0o400), "the device key"), KEY);
    assert.equal(readSecret(secretFile(test, `${KEY}\n\n`), "the device key"), `${KEY}\n`);
    assert.equal(readSecret(secretFile(test, ` ${KEY}`), "the device key"), ` ${KEY}`);
  });

  for (const mode of [0o640, 0o604, 0o644, 0o660, 0o602, 0o666]) {
    it(`is refused in a file of mode ${mode.toString(8)}`, (test) => {
      const path = secretFile(test, KEY, mode);
      const error = refuses("AGENT_SECRET_EXPOSED", () => readSecret(path, "the device key"));
      assert.ok(error.message.includes("the device key") && error.message.includes(path));
    });
  }

  it("is judged by the file a link points to", (test) => {
    const path = secretFile(test, KEY, 0o644);
    symlinkSync(path, `${path}-link`);
    refuses("AGENT_SECRET_EXPOSED", () => readSecret(`${path}-link`, "the key"));
  });

  it("is not read when missing, empty, too long, binary or no file", (test) => {
    const folder = temporaryFolder(test);
    const paths = [
      join(folder, "absent"),
      folder,
      secretFile(test, ""),
      secretFile(test, "\n"),
      secretFile(test, KEY.repeat(4000)),
      secretFile(test, Buffer.concat([Buffer.from(KEY), Buffer.of(0xff)])),
    ];
    for (const path of paths) {
      refuses("AGENT_SECRET_UNREADABLE", () => readSecret(path, "the key"));
    }
  });

  it("that stands where its path belongs is not repeated", () => {
    refuses("AGENT_SECRET_UNREADABLE", () => readSecret(KEY, "the key"));
    refuses("AGENT_SECRET_UNREADABLE", () => readSecret(`credential:${KEY}`, "the key"));
  });

  it("that its owner may not give us is refused", (test) => {
    const folder = temporaryFolder(test);
    const result = asOtherUser(test, folder, {
      module: "src/system/secrets.ts",
      body: `try { module.readSecret(folder + "/key", "the key"); return ["read"]; }
        catch (error) { return [error.code]; }`,
      prepare: () => writeFileSync(join(folder, "key"), KEY, { mode: 0o600 }),
    });
    if (result !== undefined) assert.deepEqual(result, ["AGENT_SECRET_UNREADABLE"]);
  });
});

describe("a systemd credential", () => {
  function credentials(test: TestContext): string {
    const folder = join(temporaryFolder(test), "credentials");
    mkdirSync(folder);
    writeFileSync(join(folder, "device-key"), `${KEY}\n`);
    chmodSync(join(folder, "device-key"), 0o440);
    return folder;
  }

  it("is read by name, and by path, with the mode systemd gives it", (test) => {
    const folder = credentials(test);
    assert.equal(readSecret("credential:device-key", "the key", folder), KEY);
    assert.equal(readSecret(join(folder, "device-key"), "the key", folder), KEY);
  });

  it("does not vouch for a file that is reached from its folder but lies outside", (test) => {
    const folder = credentials(test);
    const outside = secretFile(test, KEY, 0o644);
    symlinkSync(outside, join(folder, "link"));
    refuses("AGENT_SECRET_EXPOSED", () => readSecret("credential:link", "the key", folder));
    writeFileSync(`${folder}-other`, KEY);
    refuses("AGENT_SECRET_EXPOSED", () => readSecret(`${folder}-other`, "the key", folder));
  });

  it("needs a credentials directory and a plain name", (test) => {
    refuses("AGENT_SECRET_UNREADABLE", () => readSecret("credential:device-key", "the key"));
    const folder = credentials(test);
    writeFileSync(join(folder, "..", "key"), KEY, { mode: 0o600 });
    for (const name of ["", ".", "..", "../key", "a/b", "\0", "x".repeat(256)]) {
      refuses("AGENT_SECRET_UNREADABLE", () => readSecret(`credential:${name}`, "the key", folder));
    }
  });
});
