/** The manual page speaks of every command. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, describe, it } from "node:test";
import { runBundle } from "../support/bundle.ts";

const file = new URL("../../packaging/gatewarden.8", import.meta.url);
const page = readFileSync(file, "utf8").replaceAll("\\-", "-");

describe("the manual page", () => {
  const entries = [...page.matchAll(/^\.TP\n\.BI? "?([a-z][a-z-]*)/gm)].map(
    ([, name]) => name ?? "",
  );
  let commands: readonly string[];
  before(async () => {
    const { output } = await runBundle(["--help"]);
    commands = [...output.matchAll(/^ {2}([a-z][a-z-]*) {2,}/gm)].flatMap(([, name]) => name ?? []);
  });

  it("has an entry for each command of the help", () => {
    assert.ok(commands.length >= 8, commands.join(" "));
    const missing = commands.filter((name) => !entries.includes(name));
    assert.deepEqual(missing, []);
  });

  it("has no command that there is not", () => {
    assert.deepEqual(
      entries.filter((name) => !commands.includes(name)),
      [],
    );
  });
});
