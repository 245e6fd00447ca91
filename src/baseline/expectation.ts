/** What a value must be. Several parts must all hold. */
export interface Expectation {
  /** One of these, ignoring case. */
  readonly oneOf?: readonly string[];
  /** None of these, ignoring case. */
  readonly noneOf?: readonly string[];
  /** A whole number not below. */
  readonly atLeast?: number;
  /** A whole number not above. */
  readonly atMost?: number;
  /** A regular expression that the whole value matches, ignoring case. */
  readonly pattern?: string;
  /** Each word of a comma-separated list is one of these. */
  readonly onlyOf?: readonly string[];
  /** No word of a comma-separated list is one of these. */
  readonly withoutAny?: readonly string[];
}

/** Longest value that a regular expression is tried on, UTF-16 units. */
const MAX_MATCHED = 2000;

function words(value: string): readonly string[] {
  return value
    .toLowerCase()
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

function isNumberWithin(value: string, { atLeast, atMost }: Expectation): boolean {
  if (atLeast === undefined && atMost === undefined) return true;
  if (!/^-?\d{1,15}$/.test(value)) return false;
  const number = Number(value);
  return number >= (atLeast ?? number) && number <= (atMost ?? number);
}

/** Whether a value is as expected. The value is compared without blanks around it. */
export function meets(value: string, expected: Expectation): boolean {
  const plain = value.trim();
  const lower = plain.toLowerCase();
  const { oneOf, noneOf, pattern, onlyOf, withoutAny } = expected;
  if (oneOf !== undefined && !oneOf.some((one) => one.toLowerCase() === lower)) return false;
  if (noneOf?.some((one) => one.toLowerCase() === lower) === true) return false;
  if (!isNumberWithin(plain, expected)) return false;
  if (pattern !== undefined) {
    if (!new RegExp(`^(?:${pattern})$`, "i").test(plain.slice(0, MAX_MATCHED))) return false;
  }
  const list = words(plain);
  if (onlyOf !== undefined && !list.every((word) => onlyOf.includes(word))) return false;
  return withoutAny === undefined || !list.some((word) => withoutAny.includes(word));
}

/** The expectation in words. */
export function expectationText(expected: Expectation): string {
  const { oneOf, noneOf, atLeast, atMost, pattern, onlyOf, withoutAny } = expected;
  const parts = [
    oneOf === undefined ? "" : oneOf.join(" or "),
    noneOf === undefined ? "" : `not ${noneOf.join(" nor ")}`,
    atLeast === undefined ? "" : `at least ${atLeast}`,
    atMost === undefined ? "" : `at most ${atMost}`,
    pattern === undefined ? "" : `matching ${pattern}`,
    onlyOf === undefined ? "" : `only ${onlyOf.join(", ")}`,
    withoutAny === undefined ? "" : `none of ${withoutAny.join(", ")}`,
  ];
  return parts.filter((part) => part !== "").join(", ") || "any value";
}
