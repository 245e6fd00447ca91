import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLossBook } from "./loss-book.ts";

const COUNTS = [
  { queue: "High", collectedEvents: 1, droppedEvents: 0, droppedByName: {} },
  { queue: "Low", collectedEvents: 2, droppedEvents: 0, droppedByName: {} },
] as const;

describe("losses of collectors", () => {
  it("are reported once, in the queue of their event, and kept in the total", () => {
    const book = createLossBook((name) => (name === "Login" ? "High" : "Low"));
    book.count("ProcessCreate", "overrun", 12);
    book.count("ProcessCreate", "overrun", 3);
    book.count("Login", "unreadable", 1);
    assert.deepEqual(
      book.addTo(COUNTS).map(({ lost }) => lost),
      [{ "Login.unreadable": 1 }, { "ProcessCreate.overrun": 15 }],
    );
    assert.deepEqual(
      book.addTo(COUNTS).map(({ lost }) => lost),
      [{}, {}],
    );
    assert.deepEqual(book.total(), { "ProcessCreate.overrun": 15, "Login.unreadable": 1 });
  });

  it("of a size that nobody knows are counted by occasion, under a name that says so", () => {
    const book = createLossBook(() => "Off");
    book.count("ProcessCreate", "overrun", 0);
    book.count("ProcessCreate", "overrun", 0);
    assert.deepEqual(book.addTo(COUNTS)[1]?.lost, { "ProcessCreate.overrun-of-unknown-size": 2 });
  });
});
