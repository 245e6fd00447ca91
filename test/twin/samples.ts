import fc from "fast-check";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/contract/json.ts";
import { formatDuration } from "../../src/parse/duration.ts";
import { CLASSIC_OBJECT_NAME, CLASSIC_PROPERTIES } from "../../src/twin/classic-names.ts";

/** A desired document that holds only this configuration object. */
export function desiredOf(configuration: JsonValue): JsonObject {
  return { [CLASSIC_OBJECT_NAME]: configuration };
}

/** A configuration object from bare values. */
export function wrapped(values: Readonly<Record<string, JsonValue>>): JsonObject {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));
}

/** Keys that take any plain text: the bad texts below are good ones for them. */
const FREE_TEXT = [
  "baselineGroupsDisabled",
  "baselineChecksDisabled",
  "baselineWaivers",
  "postureSecurityGroup",
];

/** One property with a value and whether it is a good one; canonical when good. */
export interface Sample {
  readonly name: string;
  readonly wire: JsonValue;
  readonly isGood: boolean;
}

const badWires: readonly JsonValue[] = [
  5.5,
  "bare",
  true,
  [],
  {},
  { Value: 1 },
  { value: null },
  { value: {} },
  { value: [1] },
  { value: "no such value" },
  { value: "high" },
  { value: "PT0S" },
  { value: "-PT5M" },
  { value: "P200Y" },
  { value: 1e308 },
  { value: -1 },
  { value: 8191 },
  { value: 2_000_000_000 },
  { value: 4096.5 },
];

function badWiresOf(name: string): readonly JsonValue[] {
  if (name === "postureMostPorts") {
    return badWires.filter((wire) => !isJsonObject(wire) || wire["value"] !== 8191);
  }
  if (!FREE_TEXT.includes(name)) return badWires;
  return badWires.filter((wire) => !isJsonObject(wire) || typeof wire["value"] !== "string");
}

const WHOLE_NUMBERS: ReadonlyMap<string, { readonly min: number; readonly max: number }> = new Map([
  ["postureWideIpv4Prefix", { min: 0, max: 32 }],
  ["postureWideIpv6Prefix", { min: 0, max: 128 }],
  ["postureMostPorts", { min: 1, max: 65_535 }],
  ["postureSmallMessagesPercent", { min: 1, max: 100 }],
]);

function goodValue(name: string): fc.Arbitrary<JsonValue> {
  if (name.startsWith("eventPriority")) return fc.constantFrom("High", "Low", "Off");
  if (name.startsWith("aggregationEnabled")) return fc.boolean();
  if (name === "baselineReport") return fc.constantFrom("Changes", "All");
  if (/^baseline.*Enabled$/.test(name)) return fc.boolean();
  if (name === "baselineCustomChecksFilePath") return fc.constantFrom("", "/etc/checks.json");
  if (name === "baselineCustomChecksFileHash") return fc.constantFrom("", "a0".repeat(32));
  if (name.startsWith("baseline")) return fc.constantFrom("", "SSH Server, cron", "3.3.5");
  const whole = WHOLE_NUMBERS.get(name);
  if (whole !== undefined) return fc.integer(whole);
  if (name === "postureAllowedPorts") return fc.constantFrom("", "22", "tcp/22, udp/123 ntpd");
  if (name === "postureSecurityGroup") return fc.constantFrom("", "gateways");
  if (name === "maxLocalCacheSizeInBytes") return fc.integer({ min: 8_192, max: 1_073_741_824 });
  if (name === "maxMessageSizeInBytes") return fc.integer({ min: 8_192, max: 262_144 });
  return fc.integer({ min: 1_000, max: 36_500 * 86_400_000 }).map(formatDuration);
}

/** Any subset of the properties, each with a good or a bad value. */
export const samples: fc.Arbitrary<readonly Sample[]> = fc
  .subarray(
    CLASSIC_PROPERTIES.map((property) => property.name),
    { minLength: 1 },
  )
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc.oneof(
          goodValue(name).map((value): Sample => ({ name, wire: { value }, isGood: true })),
          fc
            .constantFrom(...badWiresOf(name))
            .map((wire): Sample => ({ name, wire, isGood: false })),
        ),
      ),
    ),
  );

/** The configuration object that the samples make. */
export function configurationOf(all: readonly Sample[]): JsonObject {
  return Object.fromEntries(all.map((sample) => [sample.name, sample.wire]));
}

const hostileKeys = ["__proto__", "constructor", "prototype", "toString", "value", "", "$version"];

/** Any JSON object, often with the names that matter in the wrong places. */
export const hostileDesired: fc.Arbitrary<JsonObject> = fc
  .letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom<JsonValue>(null, true, 0, -0, 1e308, 5e-324, "", "PT1S", "\u0000\u202e"),
      fc.string({ unit: "binary" }),
      fc.array(tie("value"), { maxLength: 3 }),
      fc
        .array(
          fc.tuple(
            fc.oneof(
              fc.constantFrom(
                ...hostileKeys,
                CLASSIC_OBJECT_NAME,
                ...CLASSIC_PROPERTIES.map((property) => property.name),
              ),
              fc.string(),
            ),
            tie("value"),
          ),
          { maxLength: 8 },
        )
        .map((entries): JsonValue => Object.fromEntries(entries)),
    ),
  }))
  .value.map((value): JsonObject => desiredOf(value));
