import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  boolean,
  check,
  choice,
  describeFault,
  type Fault,
  integer,
  list,
  optional,
  record,
  text,
  textMap,
} from "./schema.ts";

const sample = record({
  level: choice(["low", "high"] as const, { default: "low" }),
  sizeBytes: integer({ default: 10, min: 1, max: 100, unit: "bytes" }),
  isOn: boolean({ default: true }),
  inner: record({ name: text({ default: "x", maxLength: 5 }) }),
  note: optional(text({ maxLength: 3 })),
});

function read(input: unknown, fallback?: ReturnType<typeof sample.defaults>) {
  const faults: Fault[] = [];
  return { value: sample.read(input, faults, "", fallback), faults };
}

describe("the schema kernel", () => {
  it("yields the defaults for nothing and reports no fault", () => {
    assert.deepEqual(read(undefined), {
      value: { level: "low", sizeBytes: 10, isOn: true, inner: { name: "x" } },
      faults: [],
    });
  });

  it("lets a bad field cost only itself", () => {
    const { value, faults } = read({ level: "loud", sizeBytes: 20, inner: { name: "toolong" } });
    assert.deepEqual(value, { level: "low", sizeBytes: 20, isOn: true, inner: { name: "x" } });
    assert.deepEqual(
      faults.map((fault) => [fault.path, fault.kind]),
      [
        ["level", "bound"],
        ["inner.name", "bound"],
      ],
    );
  });

  it("keeps the value in force instead of the default when one is given", () => {
    const inForce = { ...sample.defaults(), sizeBytes: 77 };
    assert.equal(read({ sizeBytes: "many" }, inForce).value.sizeBytes, 77);
  });

  it("reports unknown keys without showing their value", () => {
    const { faults } = read({ sharedKey: "hunter2" });
    assert.deepEqual(
      faults.map((fault) => [fault.path, fault.kind, fault.found]),
      [["sharedKey", "unknown", ""]],
    );
  });

  it("names the key, the value and the expected form", () => {
    const { faults } = read({ sizeBytes: 1000 });
    assert.deepEqual(faults.map(describeFault), [
      "sizeBytes: found 1000; expected integer from 1 to 100 bytes",
    ]);
  });

  it("leaves an optional field out when it is absent or wrong", () => {
    assert.equal(Object.hasOwn(read({}).value, "note"), false);
    const wrong = read({ note: "longer" });
    assert.equal(Object.hasOwn(wrong.value, "note"), false);
    assert.equal(wrong.faults.length, 1);
    assert.equal(read({ note: "abc" }).value.note, "abc");
  });

  it("reports a required field that is missing", () => {
    const payload = record({ Port: text(), Extra: optional(textMap()) });
    assert.deepEqual(
      check(payload, {}).map((fault) => [fault.path, fault.kind]),
      [["Port", "missing"]],
    );
    assert.deepEqual(check(payload, { Port: "22", Extra: { Pid: "1" } }), []);
    assert.equal(check(payload, { Port: "22", Extra: { Pid: 1 } }).length, 1);
  });

  it("drops the bad items of a list and keeps the good ones", () => {
    const faults: Fault[] = [];
    const value = list(integer({ min: 0 })).read([1, "two", 3, -4], faults);
    assert.deepEqual(value, [1, 3]);
    assert.deepEqual(
      faults.map((fault) => fault.path),
      ["[1]", "[3]"],
    );
  });

  it("never throws and always yields a complete record, whatever the input", () => {
    fc.assert(
      fc.property(fc.anything(), (input) => {
        const { value } = read(input);
        assert.deepEqual(
          Object.keys(value).filter((key) => key !== "note"),
          ["level", "sizeBytes", "isOn", "inner"],
        );
        assert.deepEqual(check(sample, value), [], "what was read is itself valid");
      }),
    );
  });

  it("describes itself as JSON Schema", () => {
    assert.deepEqual(record({ n: integer({ min: 1, doc: "how many" }) }).jsonSchema(), {
      type: "object",
      properties: { n: { type: "integer", minimum: 1, description: "how many" } },
      required: ["n"],
      additionalProperties: false,
    });
  });
});
