import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";

/**
 * A small schema kernel: one declaration gives the type, the default, the bounds, the documentation,
 * the JSON Schema and the report of what is wrong. Source: docs/decisions/0002-own-schema-kernel.md.
 */

export type FaultKind = "type" | "bound" | "unknown" | "missing";

/** One field that is not as declared. */
export interface Fault {
  /** Dotted path of the field, such as `log.level`; the empty string is the whole value. */
  readonly path: string;
  readonly kind: FaultKind;
  /** The value found as JSON, at most 80 characters; empty when absent or when the key is unknown. */
  readonly found: string;
  /** The form expected, in words: `integer from 8192 to 262144 bytes`. */
  readonly expected: string;
}

/** One declared form of value. `T` is what reading it yields. */
export interface Schema<T> {
  /** The form in words, for messages and documentation. */
  readonly expected: string;
  readonly doc: string;
  readonly isOptional: boolean;
  /** The fields of a record, for documentation and environment overrides. */
  readonly fields?: Readonly<Record<string, Schema<unknown>>>;
  /** The default, or undefined where there is none. */
  defaults(): T;
  /** Reads input; each bad field costs only itself: it is reported and `fallback` or the default stands. */
  read(input: unknown, faults: Fault[], path?: string, fallback?: T): T;
  /** JSON Schema (draft 2020-12) of the accepted input. */
  jsonSchema(): JsonObject;
}

export type Infer<S> = S extends Schema<infer T> ? T : never;

interface Described {
  readonly doc?: string;
}

function foundText(value: unknown): string {
  if (value === undefined) return "";
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

interface LeafForm<T> {
  readonly expected: string;
  readonly doc: string;
  readonly fallback: T | undefined;
  readonly json: JsonObject;
  /** Which rule the input breaks, or undefined when it is right. */
  fault(input: unknown): FaultKind | undefined;
}

function leaf<T extends JsonValue>(form: LeafForm<T>): Schema<T> {
  return {
    expected: form.expected,
    doc: form.doc,
    isOptional: false,
    defaults: () => form.fallback as T,
    read(input, faults, path = "", fallback) {
      const standing = (fallback === undefined ? form.fallback : fallback) as T;
      if (input === undefined) {
        if (standing === undefined) {
          faults.push({ path, kind: "missing", found: "", expected: form.expected });
        }
        return standing;
      }
      const kind = form.fault(input);
      if (kind === undefined) return input as T;
      faults.push({ path, kind, found: foundText(input), expected: form.expected });
      return standing;
    },
    jsonSchema: () => ({
      ...form.json,
      ...(form.doc === "" ? {} : { description: form.doc }),
      ...(form.fallback === undefined ? {} : { default: form.fallback }),
    }),
  };
}

export interface TextOptions extends Described {
  readonly default?: string;
  readonly maxLength?: number;
  /** Words for the form, such as `an IP address`. */
  readonly form?: string;
  /** JSON Schema format name, where one exists. */
  readonly format?: string;
  /** True for acceptable text. Called only on text within the length bound. */
  readonly accepts?: (text: string) => boolean;
}

/** Text, by default at most 65,536 UTF-16 units. */
export function text(options: TextOptions = {}): Schema<string> {
  const maxLength = options.maxLength ?? 65_536;
  return leaf<string>({
    expected: options.form ?? `text of at most ${maxLength} characters`,
    doc: options.doc ?? "",
    fallback: options.default,
    json: {
      type: "string",
      maxLength,
      ...(options.format === undefined ? {} : { format: options.format }),
    },
    fault(input) {
      if (typeof input !== "string") return "type";
      if (input.length > maxLength) return "bound";
      return options.accepts === undefined || options.accepts(input) ? undefined : "bound";
    },
  });
}

export interface IntegerOptions extends Described {
  readonly default?: number;
  readonly min?: number;
  readonly max?: number;
  readonly unit?: string;
}

/** A whole number within JavaScript's safe range. */
export function integer(options: IntegerOptions = {}): Schema<number> {
  const min = options.min ?? Number.MIN_SAFE_INTEGER;
  const max = options.max ?? Number.MAX_SAFE_INTEGER;
  const unit = options.unit === undefined ? "" : ` ${options.unit}`;
  const isBounded = options.min !== undefined || options.max !== undefined;
  return leaf<number>({
    expected: isBounded ? `integer from ${min} to ${max}${unit}` : `integer${unit}`,
    doc: options.doc ?? "",
    fallback: options.default,
    json: {
      type: "integer",
      ...(options.min === undefined ? {} : { minimum: options.min }),
      ...(options.max === undefined ? {} : { maximum: options.max }),
    },
    fault(input) {
      if (typeof input !== "number" || !Number.isSafeInteger(input)) return "type";
      return input < min || input > max ? "bound" : undefined;
    },
  });
}

/** A duration in milliseconds. Outside the agent it is ISO 8601 text: see parse/duration.ts. */
export function durationMs(options: {
  readonly default: number;
  readonly min: number;
  readonly max?: number;
  readonly doc: string;
}): Schema<number> {
  return integer({ max: 100 * 365 * 86_400_000, ...options, unit: "milliseconds" });
}

export function boolean(options: Described & { readonly default?: boolean } = {}): Schema<boolean> {
  return leaf<boolean>({
    expected: "true or false",
    doc: options.doc ?? "",
    fallback: options.default,
    json: { type: "boolean" },
    fault: (input) => (typeof input === "boolean" ? undefined : "type"),
  });
}

/** One of a closed set of words, case-sensitive. */
export function choice<const W extends string>(
  words: readonly W[],
  options: Described & { readonly default?: NoInfer<W> } = {},
): Schema<W> {
  return leaf<W>({
    expected: `one of ${words.join(", ")}`,
    doc: options.doc ?? "",
    fallback: options.default,
    json: { type: "string", enum: words },
    fault(input) {
      if (typeof input !== "string") return "type";
      return words.some((word) => word === input) ? undefined : "bound";
    },
  });
}

/** A map from any key to text, such as ExtraDetails. */
export function textMap(
  options: Described & { readonly maxEntries?: number } = {},
): Schema<Readonly<Record<string, string>>> {
  const maxEntries = options.maxEntries ?? 256;
  return leaf<Readonly<Record<string, string>>>({
    expected: `object of at most ${maxEntries} text values`,
    doc: options.doc ?? "",
    fallback: undefined,
    json: { type: "object", additionalProperties: { type: "string" } },
    fault(input) {
      if (!isJsonObject(input)) return "type";
      const values = Object.values(input);
      if (values.length > maxEntries) return "bound";
      return values.every((value) => typeof value === "string") ? undefined : "type";
    },
  });
}

/** The same form, which may be absent: reading nothing yields undefined and is no fault. */
export function optional<T>(inner: Schema<T>): Schema<T | undefined> {
  return {
    expected: inner.expected,
    doc: inner.doc,
    isOptional: true,
    ...(inner.fields === undefined ? {} : { fields: inner.fields }),
    defaults: () => undefined,
    read: (input, faults, path = "", fallback) =>
      input === undefined ? fallback : readOptional(inner, input, faults, path, fallback),
    jsonSchema: () => inner.jsonSchema(),
  };
}

function readOptional<T>(
  inner: Schema<T>,
  input: unknown,
  faults: Fault[],
  path: string,
  fallback: T | undefined,
): T | undefined {
  const before = faults.length;
  const value = inner.read(input, faults, path, fallback);
  return faults.length > before && inner.fields === undefined ? fallback : value;
}

/** A list of one form; bad items are reported and left out. */
export function list<T>(
  item: Schema<T>,
  options: Described & { readonly default?: readonly T[]; readonly maxItems?: number } = {},
): Schema<readonly T[]> {
  const maxItems = options.maxItems ?? 1024;
  const expected = `list of at most ${maxItems}: ${item.expected}`;
  return {
    expected,
    doc: options.doc ?? "",
    isOptional: false,
    defaults: () => options.default ?? [],
    read(input, faults, path = "", fallback) {
      const standing = fallback ?? options.default ?? [];
      if (input === undefined) return standing;
      if (!Array.isArray(input) || input.length > maxItems) {
        const kind = Array.isArray(input) ? "bound" : "type";
        faults.push({ path, kind, found: foundText(input), expected });
        return standing;
      }
      const values: T[] = [];
      for (const [index, entry] of input.entries()) {
        const before = faults.length;
        const value = item.read(entry, faults, `${path}[${index}]`);
        if (faults.length === before || item.fields !== undefined) values.push(value);
      }
      return values;
    },
    jsonSchema: () => ({
      type: "array",
      maxItems,
      items: item.jsonSchema(),
      ...(options.doc === undefined ? {} : { description: options.doc }),
    }),
  };
}

export type Fields = Readonly<Record<string, Schema<unknown>>>;
export type RecordOf<F extends Fields> = { readonly [K in keyof F]: Infer<F[K]> };

/** A record of named fields. Unknown keys are reported, never silently ignored. */
export function record<F extends Fields>(fields: F, options: Described = {}): Schema<RecordOf<F>> {
  const names = Object.keys(fields);
  const expected = `object with ${names.join(", ")}`;
  function build(read: (name: string, field: Schema<unknown>) => unknown): RecordOf<F> {
    const value: Record<string, unknown> = {};
    for (const [name, field] of Object.entries(fields)) {
      const read1 = read(name, field);
      if (read1 !== undefined) value[name] = read1;
    }
    return value as RecordOf<F>;
  }
  return {
    expected,
    doc: options.doc ?? "",
    isOptional: false,
    fields,
    defaults: () => build((_name, field) => field.defaults()),
    read(input, faults, path = "", fallback) {
      const standing = fallback as Readonly<Record<string, unknown>> | undefined;
      if (input !== undefined && !isJsonObject(input)) {
        faults.push({ path, kind: "type", found: foundText(input), expected });
        return fallback ?? build((_name, field) => field.defaults());
      }
      const prefix = path === "" ? "" : `${path}.`;
      for (const key of Object.keys(input ?? {})) {
        if (Object.hasOwn(fields, key)) continue;
        faults.push({
          path: `${prefix}${key}`,
          kind: "unknown",
          found: "",
          expected: `one of the keys ${names.join(", ")}`,
        });
      }
      return build((name, field) => {
        const given = input !== undefined && Object.hasOwn(input, name) ? input[name] : undefined;
        return field.read(given, faults, `${prefix}${name}`, standing?.[name]);
      });
    },
    jsonSchema: () => ({
      type: "object",
      ...(options.doc === undefined ? {} : { description: options.doc }),
      properties: Object.fromEntries(names.map((name) => [name, fields[name]?.jsonSchema() ?? {}])),
      required: names.filter((name) => {
        const field = fields[name];
        return field !== undefined && !field.isOptional && field.defaults() === undefined;
      }),
      additionalProperties: false,
    }),
  };
}

/** The faults of a value against a schema; empty when it conforms. */
export function check(schema: Schema<unknown>, value: unknown): readonly Fault[] {
  const faults: Fault[] = [];
  schema.read(value, faults);
  return faults;
}

/** One line that names the key, the value and the expected form. */
export function describeFault(fault: Fault): string {
  const where = fault.path === "" ? "the value" : fault.path;
  if (fault.kind === "unknown") return `${where}: unknown key; expected ${fault.expected}`;
  if (fault.kind === "missing") return `${where}: missing; expected ${fault.expected}`;
  return `${where}: found ${fault.found}; expected ${fault.expected}`;
}
