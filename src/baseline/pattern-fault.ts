/**
 * What keeps a regular expression of a stranger from running away. JavaScript tries all ways to match, so
 * the time can grow with a power of the line; here that power is bounded before the expression is used.
 */

/** Longest expression, UTF-16 units. */
export const MAX_PATTERN = 200;
/** Highest power of the length of a line that matching may cost. */
const MAX_POWER = 2;
/** Most ways through the parts that may be left out, and through alternatives that begin alike. */
const MAX_WAYS = 64;
/** `{n,m}` above this is refused: it is unrolled. */
const MAX_COUNT = 100;

/** Which of the first 128 characters, and one beyond them, an atom matches. */
type Characters = readonly boolean[];

interface Item {
  /** Absent for assertions, which match no character. */
  readonly atom?: Characters;
  /** Alternatives of a group, each a sequence. */
  readonly group?: readonly (readonly Item[])[];
  /** True for `^`. */
  readonly isStart?: boolean;
  readonly min: number;
  readonly max: number;
}

type Bare = Omit<Item, "min" | "max">;

const PROBES = [...Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)), "\u00e9"];
const NOTHING: Characters = PROBES.map(() => false);
const QUANTIFIER = /^(?:([*+?])|\{(\d{1,4})(,?)(\d{0,4})\})\??/;
const CLASS = /^\[(?:[^\]\\]|\\.)*\]/;

/** Why an expression is not taken, in words; undefined when it is. */
export function patternFault(source: string): string | undefined {
  if (source.length > MAX_PATTERN) return `longer than ${MAX_PATTERN} characters`;
  try {
    new RegExp(source, "i");
    const alternatives = parse(source);
    const costs = alternatives.map(costOf);
    const ways = Math.max(...costs.map((cost) => cost.ways));
    if (ways > MAX_WAYS) return "there are too many ways to match it";
    const power = Math.max(...costs.map((cost) => cost.power));
    if (power <= MAX_POWER) return undefined;
    return `can take time with the ${power}th power of a line: anchor it with ^, and let no repetition overlap with what follows it`;
  } catch (error) {
    // The engine says by throwing that this is no expression; so does the parser below.
    return error instanceof SyntaxError ? error.message.slice(0, 120) : "nested too deep";
  }
}

interface Cost {
  /** Power of the length of a line. */
  readonly power: number;
  readonly ways: number;
}

/**
 * A repetition that overlaps with what may follow it can end anywhere, so each multiplies the time with
 * the length of the line. All others end where they must: together they cost the length once more. So
 * does looking from every place of the line.
 */
function costOf(sequence: readonly Item[]): Cost {
  const { overlapping, plain, ways } = study(sequence, NOTHING);
  const isAnchored = sequence[0]?.isStart === true;
  return { power: overlapping + (plain > 0 ? 1 : 0) + (isAnchored ? 0 : 1), ways };
}

function parse(source: string): readonly (readonly Item[])[] {
  let at = 0;

  function alternatives(isInGroup: boolean): readonly (readonly Item[])[] {
    const all: Item[][] = [[]];
    for (;;) {
      const rest = source.slice(at);
      if (rest === "" || (isInGroup && rest.startsWith(")"))) return all;
      if (rest.startsWith("|")) {
        all.push([]);
        at += 1;
        continue;
      }
      all[all.length - 1]?.push(item(rest));
    }
  }

  function item(rest: string): Item {
    const bare: Bare = rest.startsWith("(") ? group(rest) : single(rest);
    const { min, max, length } = quantifierOf(source.slice(at));
    at += length;
    if (max > 1 && bare.group?.some((sequence) => isNested(sequence, bare.group)) === true) {
      throw new SyntaxError("a repeated group holds a repetition or alternatives");
    }
    return { ...bare, min, max };
  }

  function group(rest: string): Bare {
    if (rest.startsWith("(?") && !rest.startsWith("(?:")) {
      throw new SyntaxError("a group other than ( and (?:");
    }
    at += rest.startsWith("(?:") ? 3 : 1;
    const inner = alternatives(true);
    at += 1;
    return { group: inner };
  }

  function single(rest: string): Bare {
    if (/^\\[1-9k]/.test(rest)) throw new SyntaxError("a reference to a group");
    const assertion = /^(?:[$^]|\\[bB])/.exec(rest);
    const text =
      assertion?.[0] ??
      CLASS.exec(rest)?.[0] ??
      /^(?:\\(?:u[0-9a-f]{4}|x[0-9a-f]{2}|.)|[\s\S])/i.exec(rest)?.[0] ??
      "";
    at += text.length;
    return assertion === null ? { atom: charactersOf(text) } : { isStart: text === "^" };
  }

  return alternatives(false);
}

function charactersOf(atom: string): Characters {
  const matcher = new RegExp(`^(?:${atom})$`, "i");
  return PROBES.map((character) => matcher.test(character));
}

function quantifierOf(rest: string): { min: number; max: number; length: number } {
  const match = QUANTIFIER.exec(rest);
  if (match === null) return { min: 1, max: 1, length: 0 };
  const [{ length }, sign, from, comma, to] = match;
  if (sign === "?") return { min: 0, max: 1, length };
  if (sign !== undefined)
    return { min: sign === "+" ? 1 : 0, max: Number.POSITIVE_INFINITY, length };
  const min = Number(from);
  const open = to === "" ? Number.POSITIVE_INFINITY : Number(to);
  const max = comma === "" ? min : open;
  if (min > MAX_COUNT || (Number.isFinite(max) && max > MAX_COUNT)) {
    throw new SyntaxError(`a count above ${MAX_COUNT}`);
  }
  return { min, max, length };
}

function isNested(sequence: readonly Item[], all: Item["group"]): boolean {
  if ((all?.length ?? 0) > 1) return true;
  return sequence.some(
    ({ min, max, group }) => min !== max || group?.some((inner) => isNested(inner, group)) === true,
  );
}

interface Study {
  /** Repetitions that overlap with what may follow them. */
  readonly overlapping: number;
  /** The other repetitions. */
  readonly plain: number;
  readonly ways: number;
  /** What the sequence, and what follows it if it may be empty, begins with. */
  readonly first: Characters;
}

/** Looks at a sequence from its end, so that what may follow each part is known. */
function study(sequence: readonly Item[], follow: Characters): Study {
  let next = follow;
  let overlapping = 0;
  let plain = 0;
  let ways = 1;
  for (const { atom, group, min, max } of [...sequence].reverse()) {
    if (atom === undefined && group === undefined) continue;
    const inner = group?.map((alternative) => study(alternative, next)) ?? [];
    overlapping += inner.reduce((sum, one) => sum + one.overlapping, 0);
    plain += inner.reduce((sum, one) => sum + one.plain, 0);
    ways *= inner.reduce((product, one) => product * one.ways, 1);
    if (doBeginAlike(inner)) ways *= inner.length;
    const first = union([atom ?? NOTHING, ...inner.map((one) => one.first)]);
    const isOpen = max !== min && overlap(first, next);
    if (max === 1 && isOpen) ways *= 2;
    if (max > 1 && max !== min) {
      if (isOpen) overlapping += 1;
      else plain += 1;
    }
    next = min === 0 ? union([first, next]) : first;
  }
  return { overlapping, plain, ways, first: next };
}

function doBeginAlike(alternatives: readonly Study[]): boolean {
  return alternatives.some((one, at) =>
    alternatives.slice(at + 1).some((other) => overlap(one.first, other.first)),
  );
}

function overlap(one: Characters, other: Characters): boolean {
  return one.some((isIn, at) => isIn && other[at] === true);
}

function union(sets: readonly Characters[]): Characters {
  return PROBES.map((_, at) => sets.some((set) => set[at] === true));
}
