import { isJsonObject, type JsonObject } from "../contract/json.ts";
import { type Fault, integer, optional, type Schema, text } from "../contract/schema.ts";

/** Names systemd accepts that cannot leave the folder. Source: systemd.exec(5), LoadCredential=. */
const CREDENTIAL = /^credential:[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$/;
const MAX_PATH = 4_096;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Letters, digits, dots and hyphens, then an optional port. Source: RFC 1123 section 2.1. */
const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::[0-9]{1,5})?$/;

function isAbsolutePath(path: string): boolean {
  return path.startsWith("/") && !path.includes("\0");
}

/** A file or folder on this machine. */
export function localPath(doc: string, standard?: string): Schema<string> {
  return text({
    doc,
    maxLength: MAX_PATH,
    form: "an absolute path",
    accepts: isAbsolutePath,
    ...(standard === undefined ? {} : { default: standard }),
  });
}

/** A file that the owner provides: a path, or a systemd credential. */
export function providedFile(doc: string): Schema<string | undefined> {
  return optional(
    text({
      doc,
      maxLength: MAX_PATH,
      form: "an absolute path or credential:NAME",
      accepts: (path) => isAbsolutePath(path) || CREDENTIAL.test(path),
    }),
  );
}

/** A host name or IPv4 address, with a port if need be. */
export function host(doc: string): Schema<string | undefined> {
  return optional(text({ doc, maxLength: 259, form: "a host name", accepts: isHost }));
}

/** True for a host name with or without a port. */
export function isHost(name: string): boolean {
  return HOST.test(name);
}

/** An identifier at a hub or broker. Source: IoT Hub identity registry, device identity properties. */
export function identifier(doc: string): Schema<string | undefined> {
  return optional(
    text({
      doc,
      maxLength: 128,
      form: "1 to 128 letters, digits and -:.+%_#*?!(),=@;$'",
      accepts: (name) => /^[A-Za-z0-9\-:.+%_#*?!(),=@;$']+$/.test(name),
    }),
  );
}

/** An id in the form of a UUID; both cases are taken. */
export function uuid(doc: string): Schema<string | undefined> {
  return optional(
    text({
      doc,
      maxLength: 36,
      form: "a UUID such as 123e4567-e89b-42d3-a456-426614174000",
      format: "uuid",
      accepts: (id) => UUID.test(id.toLowerCase()),
    }),
  );
}

export function port(doc: string): Schema<number | undefined> {
  return optional(integer({ doc, min: 1, max: 65_535 }));
}

/** A URL with one of these schemes and a host, without user and password, query and fragment. */
export function url(
  doc: string,
  schemes: readonly string[],
  shape: { readonly form: string; readonly mayHavePath: boolean },
): Schema<string | undefined> {
  function accepts(candidate: string): boolean {
    const parsed = parseUrl(candidate);
    if (parsed === undefined || !schemes.includes(parsed.protocol)) return false;
    if (parsed.hostname === "" || parsed.search !== "" || parsed.hash !== "") return false;
    if (parsed.username !== "" || parsed.password !== "") return false;
    return shape.mayHavePath || parsed.pathname === "" || parsed.pathname === "/";
  }
  return optional(text({ doc, maxLength: 2_048, form: shape.form, accepts, ...{ format: "uri" } }));
}

function parseUrl(candidate: string): URL | undefined {
  try {
    return new URL(candidate);
  } catch {
    // Node 18.20 has no URL.parse: a throw is how it says that this is no URL.
    return undefined;
  }
}

/** Any JSON object, read by somebody else later. Nothing given is the empty object. */
export function anyObject(doc: string): Schema<JsonObject> {
  const expected = "an object";
  return {
    expected,
    doc,
    isOptional: false,
    defaults: () => ({}),
    read(input, faults, path = "", fallback) {
      if (isJsonObject(input)) return input;
      if (input !== undefined) faults.push(typeFault(path, expected));
      return fallback ?? {};
    },
    jsonSchema: () => ({ type: "object", description: doc, default: {} }),
  };
}

const MAX_OBJECTS = 64;

/** A map of names to objects that somebody else reads later; what is no object is left out. */
export function objectsByName(doc: string): Schema<Readonly<Record<string, JsonObject>>> {
  const expected = `an object of at most ${MAX_OBJECTS} objects`;
  return {
    expected,
    doc,
    isOptional: false,
    defaults: () => ({}),
    read(input, faults, path = "", fallback) {
      if (input === undefined) return fallback ?? {};
      if (!isJsonObject(input) || Object.keys(input).length > MAX_OBJECTS) {
        faults.push(typeFault(path, expected));
        return fallback ?? {};
      }
      const kept: [string, JsonObject][] = [];
      for (const [name, value] of Object.entries(input)) {
        if (isJsonObject(value)) kept.push([name, value]);
        else faults.push(typeFault(`${path}.${name}`, "an object"));
      }
      return Object.fromEntries(kept);
    },
    jsonSchema: () => ({
      type: "object",
      description: doc,
      additionalProperties: { type: "object" },
      maxProperties: MAX_OBJECTS,
      default: {},
    }),
  };
}

function typeFault(path: string, expected: string): Fault {
  return { path, kind: "type", found: "", expected };
}
