import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import { formatDuration, parseDurationMs } from "./duration.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function msOf(text: string): number | undefined {
  const parsed = parseDurationMs(text);
  return parsed.ok ? parsed.value : undefined;
}

describe("reading a duration", () => {
  const accepted: readonly (readonly [string, number])[] = [
    ["PT7M", 420_000],
    ["PT5H", 5 * HOUR_MS],
    ["PT13H", 13 * HOUR_MS],
    ["PT1H30M", 1.5 * HOUR_MS],
    ["PT90M", 1.5 * HOUR_MS],
    ["PT0S", 0],
    ["PT1.5S", 1_500],
    ["PT1.005S", 1_005],
    ["PT0.0004S", 0],
    ["PT1.5H", 1.5 * HOUR_MS],
    ["PT1H0.5M", HOUR_MS + 30_000],
    ["P1Y", 365 * DAY_MS],
    ["P0.5Y", 182.5 * DAY_MS],
    ["P1M", 30 * DAY_MS],
    ["P2W", 14 * DAY_MS],
    ["P50D", 50 * DAY_MS],
    ["P1.5D", 1.5 * DAY_MS],
    ["P1Y1D", 366 * DAY_MS],
    ["P1Y2M3W4DT5H6M7.5S", (365 + 60 + 21 + 4) * DAY_MS + 5 * HOUR_MS + 367_500],
    ["PT007M", 420_000],
  ];
  for (const [text, expectedMs] of accepted) {
    it(`takes ${text}`, () => assert.equal(msOf(text), expectedMs));
  }

  const refused = [
    ["", "nothing"],
    ["P", "no unit at all"],
    ["PT", "a T without time"],
    ["P1DT", "a T without time after days"],
    ["PT5M3H", "units out of order"],
    ["P1D1W", "date units out of order"],
    ["PT1H1H", "a repeated unit"],
    ["-PT5M", "a negative duration"],
    ["PT-5M", "a negative part"],
    ["+PT5M", "a sign"],
    ["pt5m", "lower case"],
    ["PT5m", "a lower-case unit"],
    ["PT5M ", "trailing blanks"],
    [" PT5M", "leading blanks"],
    ["PT5M\n", "a trailing newline"],
    ["PT5Mx", "trailing text"],
    ["PT5", "a number without unit"],
    ["5M", "no P"],
    ["PT1.5H30M", "a fraction before the last unit"],
    ["P1.5DT1H", "a fraction of days before hours"],
    ["PT1.S", "a fraction without digits"],
    ["PT.5S", "a fraction without whole part"],
    ["PT1,5S", "a decimal comma"],
    ["P1H", "hours without T"],
    ["PT1D", "days after T"],
    ["PT1HT1M", "a second T"],
    ["PT٣M", "digits of another script"],
    ["PT1e3S", "an exponent"],
  ] as const;
  for (const [text, why] of refused) {
    it(`refuses ${why}`, () => assert.equal(msOf(text), undefined));
  }

  it("refuses what milliseconds cannot hold, saying so", () => {
    const parsed = parseDurationMs(`P${"9".repeat(400)}Y`);
    assert.ok(!parsed.ok);
    assert.equal(parsed.problem.code, "too-large");
    assert.equal(parseDurationMs(`PT${"0".repeat(5_000)}1S`).ok, false);
  });
});

describe("printing a duration", () => {
  const printed: readonly (readonly [number, string])[] = [
    [0, "PT0S"],
    [420_000, "PT7M"],
    [5 * HOUR_MS, "PT5H"],
    [13 * HOUR_MS, "PT13H"],
    [1.5 * HOUR_MS, "PT1H30M"],
    [36 * HOUR_MS, "P1DT12H"],
    [50 * DAY_MS, "P50D"],
    [365 * DAY_MS, "P365D"],
    [1_500, "PT1.5S"],
    [1_050, "PT1.05S"],
    [7, "PT0.007S"],
  ];
  for (const [durationMs, text] of printed) {
    it(`prints ${text}`, () => assert.equal(formatDuration(durationMs), text));
  }

  it("reads back every whole number of milliseconds it prints", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (durationMs) => {
        assert.equal(msOf(formatDuration(durationMs)), durationMs);
      }),
    );
  });

  it("is stable: what was read and printed prints the same again", () => {
    fc.assert(
      fc.property(durationLike(), (text) => {
        const first = msOf(text);
        if (first === undefined) return;
        const canonical = formatDuration(first);
        assert.equal(msOf(canonical), first);
        assert.equal(formatDuration(msOf(canonical) ?? -1), canonical);
      }),
    );
  });
});

/** Text that is often, but not always, a duration. */
function durationLike(): fc.Arbitrary<string> {
  const number = fc.oneof(
    fc.nat(999).map(String),
    fc.tuple(fc.nat(99), fc.nat(999)).map(([whole, part]) => `${whole}.${part}`),
  );
  const part = fc
    .tuple(number, fc.constantFrom("Y", "M", "W", "D", "H", "M", "S"))
    .map(([digits, letter]) => digits + letter);
  const noise = fc.constantFrom("T", "T", "T", "P", "", "-", ".", "s", " ");
  const ordered = fc
    .tuple(
      fc.subarray(["Y", "M", "W", "D"]),
      fc.subarray(["H", "M", "S"]),
      fc.array(number, { minLength: 7, maxLength: 7 }),
    )
    .map(([date, time, numbers]) => {
      const whole = (at: number) => (numbers[at] ?? "1").split(".")[0] ?? "1";
      const last = date.length + time.length - 1;
      const text = (letters: readonly string[], from: number) =>
        letters
          .map((letter, at) => (from + at === last ? (numbers[at] ?? "1") : whole(at)) + letter)
          .join("");
      return `P${text(date, 0)}${time.length > 0 ? `T${text(time, date.length)}` : ""}`;
    });
  const mixed = fc.array(fc.oneof(part, noise), { maxLength: 6 }).map((all) => `P${all.join("")}`);
  return fc.oneof(ordered, mixed, fc.string({ maxLength: 12 }));
}

describe("against the published pattern", () => {
  const file = new URL(
    "../../../shared/reference/module-twin/azureiotsecurity_schema_definitions.json",
    import.meta.url,
  );
  const skip = existsSync(file) ? false : "the published module twin schema is not at hand";

  it("accepts exactly what the pattern accepts", { skip }, () => {
    const pattern = publishedPattern(readFileSync(file, "utf8"));
    let taken = 0;
    fc.assert(
      fc.property(durationLike(), (text) => {
        const isTaken = msOf(text) !== undefined;
        if (isTaken) taken += 1;
        assert.equal(isTaken, pattern.test(text), JSON.stringify(text));
      }),
      { numRuns: 5_000 },
    );
    assert.ok(taken > 500, `only ${taken} samples were durations`);
  });
});

function publishedPattern(schemaText: string): RegExp {
  const schema = JSON.parse(schemaText) as {
    definitions: { TimeConfiguration: { properties: { value: { pattern: string } } } };
  };
  return new RegExp(schema.definitions.TimeConfiguration.properties.value.pattern);
}
