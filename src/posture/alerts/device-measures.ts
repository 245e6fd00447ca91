import { canonicalAddress, isLoopbackAddress, unmappedAddress } from "../../parse/addresses.ts";
import { addressMatcher } from "./cidr.ts";
import { BEARS_NOT, BEARS_UNKNOWN, type Bearing, type Measure } from "./measure.ts";
import { detailOf, type ItemFields, type Occurrence, textOf } from "./occurrence.ts";

const COUNTS: Bearing = { bears: "yes", value: "" };

/** Connections that began in the window, or were found when the agent began; both directions. */
const activeConnections: Measure = {
  ruleType: "ActiveConnectionsNotInAllowedRange",
  eventNames: ["ConnectionCreate"],
  bearing({ item }) {
    const remote = textOf(item, "RemoteAddress");
    if (remote === undefined) return BEARS_UNKNOWN;
    // Nobody answered: it never was a connection.
    return isLoopbackAddress(remote) || detailOf(item, "State") === "failed" ? BEARS_NOT : COUNTS;
  },
  describe: describeConnection,
};

/** Refused logins to this device, over the network as well as at the console. */
const failedLogins: Measure = {
  ruleType: "FailedLocalLoginsNotInAllowedRange",
  eventNames: ["Login"],
  bearing({ item }) {
    const result = textOf(item, "Result");
    if (result === undefined) return BEARS_UNKNOWN;
    return result === "Fail" ? COUNTS : BEARS_NOT;
  },
  describe: describeLogin,
};

function connectionMeasure(ruleType: string, direction: "In" | "Out"): Measure {
  return {
    ruleType,
    eventNames: ["ConnectionCreate"],
    bearing({ item }) {
      const told = textOf(item, "Direction");
      if (told !== undefined && told !== direction) return BEARS_NOT;
      const remote = canonicalAddress(textOf(item, "RemoteAddress") ?? "");
      if (told === undefined || remote === undefined) return BEARS_UNKNOWN;
      if (isLoopbackAddress(remote) || isUnspecified(remote)) return BEARS_NOT;
      return { bears: "yes", value: unmappedAddress(remote) };
    },
    describe: describeConnection,
    matcher: addressMatcher,
  };
}

const localUser: Measure = {
  ruleType: "LocalUserNotAllowed",
  eventNames: ["Login"],
  bearing({ item }) {
    const result = textOf(item, "Result");
    if (result === undefined) return BEARS_UNKNOWN;
    if (result !== "Success") return BEARS_NOT;
    const user = textOf(item, "UserName") ?? "";
    return user === "" ? BEARS_UNKNOWN : { bears: "yes", value: user };
  },
  describe: describeLogin,
  matcher: (allowlistValues) => {
    const users = new Set(allowlistValues);
    return (user) => users.has(user);
  },
};

const startedProgram: Measure = {
  ruleType: "ProcessNotAllowed",
  eventNames: ["ProcessCreate"],
  bearing({ item }) {
    const executable = textOf(item, "Executable") ?? "";
    return executable === "" ? BEARS_UNKNOWN : { bears: "yes", value: executable };
  },
  describe({ item }) {
    const user = textOf(item, "UserName") ?? textOf(item, "UserId") ?? "";
    const parent = detailOf(item, "ParentExecutable") ?? "";
    return joined([
      textOf(item, "Executable") ?? "",
      user === "" ? "" : `as ${user}`,
      parent === "" ? "" : `by ${parent}`,
    ]);
  },
  matcher: programMatcher,
};

/** The official rule types that the device's own events answer, and ConnectionFromIpNotAllowed. */
export const DEVICE_MEASURES: readonly Measure[] = [
  activeConnections,
  failedLogins,
  connectionMeasure("ConnectionToIpNotAllowed", "Out"),
  localUser,
  startedProgram,
  connectionMeasure("ConnectionFromIpNotAllowed", "In"),
];

/**
 * A test of programs: a value with a slash is a path, any other the base name; case counts. Paths are
 * compared as if /usr were merged, so `/bin/sh` and `/usr/bin/sh` are one.
 * Source: file-hierarchy(7), "/bin, /sbin, /usr/sbin".
 */
function programMatcher(allowlistValues: readonly string[]): (executable: string) => boolean {
  const isPath = (value: string) => value.includes("/");
  const paths = new Set(allowlistValues.filter(isPath).map(mergedPath));
  const names = new Set(allowlistValues.filter((value) => !isPath(value)));
  return (executable) =>
    paths.has(mergedPath(executable)) ||
    names.has(executable.slice(executable.lastIndexOf("/") + 1));
}

function mergedPath(path: string): string {
  return /^\/usr\/(?:s?bin|lib\w*)\//.test(path) ? path.slice("/usr".length) : path;
}

/** The address of nobody: a UDP socket that is not connected. */
function isUnspecified(canonical: string): boolean {
  return canonical === "::" || unmappedAddress(canonical) === "0.0.0.0";
}

function describeConnection({ item }: Occurrence): string {
  const direction = textOf(item, "Direction") === "In" ? "from" : "to";
  const executable = textOf(item, "Executable") ?? "";
  return joined([
    textOf(item, "Protocol") ?? "",
    `${direction} ${endpoint(item)}`,
    executable === "" ? "" : `by ${executable}`,
  ]);
}

function endpoint(item: ItemFields): string {
  const address = textOf(item, "RemoteAddress") ?? "?";
  const port = textOf(item, "RemotePort") ?? "0";
  if (port === "0" || port === "") return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function describeLogin({ item }: Occurrence): string {
  const user = textOf(item, "UserName") ?? "";
  const remote = textOf(item, "RemoteAddress") ?? detailOf(item, "RemoteHost") ?? "";
  const by = detailOf(item, "ByUser") ?? "";
  return joined([
    textOf(item, "Operation") ?? "login",
    user === "" ? "" : `as ${user}`,
    remote === "" ? "" : `from ${remote}`,
    by === "" ? "" : `by ${by}`,
  ]);
}

function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(" ");
}
