import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { logLineAsText } from "./log-text.ts";

const LINE = '{"level":"error","time":"2026-01-15T12:00:03.250Z","path":"/a","msg":"failed"}\n';

describe("a log line as text", () => {
  it("is plain without colours", () => {
    assert.equal(logLineAsText(LINE, false), "12:00:03.250 ERROR failed  path=/a\n");
  });

  it("is coloured when asked, and says the same", () => {
    const coloured = logLineAsText(LINE, true);
    assert.ok(coloured.includes("\u001b[31mERROR\u001b[0m"));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours are what is taken out
    assert.equal(coloured.replace(/\u001b\[\d+m/g, ""), logLineAsText(LINE, false));
  });

  it("stays as it is when it is not JSON", () => {
    assert.equal(logLineAsText("not json\n", false), "not json\n");
  });
});
