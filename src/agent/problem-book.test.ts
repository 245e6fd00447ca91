import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DiagnosticFinding } from "../contract/agent-facts.ts";
import type { Problem } from "../contract/result.ts";
import { createProblemBook } from "./problem-book.ts";

const shadow: Problem = { code: "not-permitted", subject: "/etc/shadow", detail: "3 accounts" };

describe("the problem book", () => {
  it("tells a problem when it appears and again only after it was gone", () => {
    const told: DiagnosticFinding[] = [];
    const book = createProblemBook((finding) => told.push(finding));
    book.update("local-users", [shadow]);
    book.update("local-users", [{ ...shadow, detail: "4 accounts" }]);
    assert.equal(told.length, 1);
    book.update("local-users", []);
    book.update("local-users", [shadow]);
    assert.deepEqual(
      told.map((finding) => finding.severity),
      ["Warning", "Information", "Warning"],
    );
  });

  it("tells a flood of problems in bounded form", () => {
    const told: DiagnosticFinding[] = [];
    const book = createProblemBook((finding) => told.push(finding));
    const flood = Array.from({ length: 500 }, (_, n) => ({ ...shadow, subject: `/etc/${n}` }));
    book.update("x", flood);
    assert.equal(told.length, 9);
    assert.match(told[8]?.message ?? "", /492 further/);
  });

  it("keeps collectors apart", () => {
    const told: DiagnosticFinding[] = [];
    const book = createProblemBook((finding) => told.push(finding));
    book.update("a", [shadow]);
    book.update("b", [shadow]);
    assert.equal(told.length, 2);
    assert.deepEqual(book.of("a"), [shadow]);
    assert.deepEqual(book.of("c"), []);
  });
});
