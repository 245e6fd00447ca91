import { fail, ok, type Result } from "../contract/result.ts";
import type { HubIdentity } from "./hub-contract.ts";
import { identityOf } from "./hub-topics.ts";
import { decodePairs } from "./property-bag.ts";

/** What an MQTT user name says. */
export type UserName =
  | {
      readonly kind: "hub";
      /** Host name of the hub, perhaps with a port. */
      readonly hub: string;
      readonly identity: HubIdentity;
      readonly parameters: ReadonlyMap<string, string>;
    }
  | {
      readonly kind: "provisioning";
      readonly idScope: string;
      readonly registrationId: string;
      readonly parameters: ReadonlyMap<string, string>;
    };

/**
 * Reads `{hub}/{device}[/{module}]/?api-version=…`, the older forms without `?` or without the slash,
 * and `{idScope}/registrations/{id}/api-version=…`. Problem `malformed`.
 * Source: IoT Hub documentation, "Use MQTT"; DPS documentation, "Communicate using MQTT".
 */
export function parseUserName(text: string): Result<UserName> {
  const start = parametersStart(text);
  if (start === undefined) return fail("malformed", "user name", "has no api-version");
  const path = text.slice(0, start).replace(/[/?]+$/, "");
  const pairs = decodePairs(text.slice(start));
  if (!pairs.ok) return fail("malformed", "user name", pairs.problem.detail);
  const parameters = new Map(pairs.value);
  const [hub = "", second = "", third, ...more] = path.split("/");
  if (hub === "" || second === "" || third === "" || more.length > 0) {
    return fail("malformed", "user name", "is not hub/device or hub/device/module");
  }
  if (second === "registrations" && third !== undefined) {
    return ok({ kind: "provisioning", idScope: hub, registrationId: third, parameters });
  }
  return ok({ kind: "hub", hub, identity: identityOf(second, third), parameters });
}

/** Where the parameters begin: after the first `?`, or at a last segment that holds a `=`. */
function parametersStart(text: string): number | undefined {
  const mark = text.indexOf("?");
  if (mark >= 0) return mark + 1;
  const match = /\/(?=[A-Za-z-]+=)/.exec(text);
  return match === null ? undefined : match.index + 1;
}

/** Published data-plane versions that know device twins. Source: IoT Hub REST specifications. */
const KNOWN_VERSIONS: readonly string[] = [
  "2016-11-14",
  "2017-06-30",
  "2017-11-08-preview",
  "2018-04-01",
  "2018-06-30",
  "2018-08-30-preview",
  "2019-03-30",
  "2019-07-01-preview",
  "2019-10-01",
  "2020-03-01",
  "2020-03-13",
  "2020-05-31-preview",
  "2020-09-30",
  "2021-04-12",
];

/** First versions with twins and methods, and with module identities. */
const OLDEST = { device: "2016-11-14", module: "2017-11-08-preview" };

/** Why the hub refuses this `api-version`; undefined when it takes it. */
export function apiVersionFault(
  version: string | undefined,
  identity: HubIdentity,
  mustBeKnown: boolean,
): string | undefined {
  if (version === undefined || version === "") return "the user name has no api-version";
  if (!/^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:-preview)?$/.test(version)) {
    return "the api-version is malformed";
  }
  const oldest = identity.moduleId === undefined ? OLDEST.device : OLDEST.module;
  if (version < oldest) return `the api-version is older than ${oldest}`;
  if (mustBeKnown && !KNOWN_VERSIONS.includes(version)) return "the api-version is unknown";
  return undefined;
}
