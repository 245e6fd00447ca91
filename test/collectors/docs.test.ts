import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { replaceSection } from "../../build/docs/document.ts";
import { fieldsTable, settingsTable } from "../../build/docs/schema-table.ts";
import { boolean, optional, record, text } from "../../src/contract/schema.ts";

describe("generated sections", () => {
  const page = "a\n<!-- generated:x -->\nold\n<!-- /generated -->\nb\n";

  it("replace what stands between their markers and nothing else", () => {
    assert.equal(
      replaceSection(page, "x", "new"),
      "a\n<!-- generated:x -->\n\nnew\n\n<!-- /generated -->\nb\n",
    );
  });

  it("do not change any more when they are written twice", () => {
    const once = replaceSection(page, "x", "new");
    assert.equal(replaceSection(once, "x", "new"), once);
  });

  it("refuse a page without their markers", () => {
    assert.throws(() => replaceSection(page, "y", "new"), /generated:y/);
  });
});

describe("generated tables", () => {
  it("show the default of each setting", () => {
    const schema = record({ isOn: boolean({ default: true, doc: "Whether a | b" }) });
    assert.equal(
      settingsTable(schema),
      [
        "| Setting | Form          | Default | Meaning        |",
        "| ------- | ------------- | ------- | -------------- |",
        "| `isOn`  | true or false | `true`  | Whether a \\| b |",
      ].join("\n"),
    );
  });

  it("say so when there is nothing to set", () => {
    assert.equal(settingsTable(record({})), "There is nothing to set.");
  });

  it("list the fields of an inner record by their dotted names", () => {
    const inner = optional(record({ Pid: optional(text({ maxLength: 9, doc: "Process" })) }));
    const rows = fieldsTable(record({ Port: text({ maxLength: 5, doc: "P" }), Details: inner }))
      .split("\n")
      .slice(2)
      .map((row) => row.split("|").map((cell) => cell.trim()));
    assert.deepEqual(rows, [
      ["", "`Port`", "text of at most 5 characters", "always", "P", ""],
      ["", "`Details.Pid`", "text of at most 9 characters", "if known", "Process", ""],
    ]);
  });
});
