/**
 * What a gateway says of itself while somebody really does wrong on it, and when that is over. Windows of
 * custom alerts are minutes long: they are filled in an early step and looked at in a late one.
 */
import assert from "node:assert/strict";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/contract/json.ts";
import type { Gateway } from "./gateway.ts";
import { quoted } from "./guest.ts";
import { comeByPassword } from "./ssh-visitor.ts";
import { HOST_ADDRESS, pause } from "./virtual-machine.ts";

/** What the steps have seen and done. */
export interface PostureWatch {
  /** Payload items of all extension messages so far. */
  readonly items: readonly JsonObject[];
  /** When the wrongdoing began and ended, by the clock of the machine, ms since the Unix epoch. */
  beganAtMs: number;
  endedAtMs: number;
}

const INTRUDER = "/usr/local/bin/intruder";
/** An address of the machine itself that no loopback has, and nobody outside. */
const OWN_ADDRESS = "198.51.100.7";
const MOST_CONNECTIONS = 50;
const CONNECTIONS = 80;
const MOST_FAILED = 1;
const MINUTE_MS = 60_000;

/** Watches the extension messages from now on. */
export function watchPosture(gateway: Gateway): PostureWatch {
  const items: JsonObject[] = [];
  gateway.hub.observe({
    onMessage({ body, properties }) {
      if (properties["kind"] !== "extension") return;
      const { Events } = JSON.parse(Buffer.from(body).toString("utf8"));
      for (const { Payload } of Events) items.push(...Payload);
    },
  });
  return { items, beganAtMs: 0, endedAtMs: 0 };
}

/**
 * Five rules of custom alerts in the twin, and each of them broken: many connections, one to a strange
 * address, failed logins, a login of a user who may not, and a program that nobody installed.
 */
export async function doWrong(gateway: Gateway, watch: PostureWatch): Promise<void> {
  const { machine, folder } = gateway;
  await machine.must(
    `ip link add strange type dummy && ip address add ${OWN_ADDRESS}/32 dev strange && ip link set strange up && cp /bin/sleep ${INTRUDER}`,
  );
  gateway.desire({ deviceSecurityGroups: await groupFor(gateway) });
  await gateway.until("the rules", () => alertRules(gateway)["rules"] === 5);
  watch.beganAtMs = await machineNowMs(gateway);
  // Long enough for an agent on a machine that is busy to see who it is.
  await machine.must(`setsid -f ${INTRUDER} 60 </dev/null >/dev/null 2>&1`);
  await Promise.all([
    machine.must(`node -e ${quoted(connectionStorm())}`, MINUTE_MS),
    failToLogIn(gateway),
  ]);
  assert.ok(await comeByPassword(machine, folder, "alice", "wonderland"));
  // What is told late would find its window judged, once the clock is put forward.
  await gateway.until("the login that is not allowed", () =>
    gateway.items("Login", '"alice"').some((item) => item["Result"] === "Success"),
  );
  watch.endedAtMs = await machineNowMs(gateway);
}

/** Twice as often as any window may have, should the attempts fall into two. */
async function failToLogIn({ machine, folder }: Gateway): Promise<void> {
  for (let attempt = 0; attempt < 2 * (MOST_FAILED + 1); attempt += 1) {
    assert.ok(!(await comeByPassword(machine, folder, "alice", `wrong-${attempt}`)));
  }
}

/** A listener and its visitors in one process, open together. No quote of the shell is in it. */
function connectionStorm(): string {
  const target = `7100, "${OWN_ADDRESS}"`;
  return [
    'const net = require("net"), deaf = (one) => one.on("error", () => {});',
    `net.createServer(deaf).listen(${target}, () => {`,
    `for (let at = 0; at < ${CONNECTIONS}; at += 1) deaf(net.connect(${target}));`,
    "}); setTimeout(() => process.exit(0), 4000);",
  ].join(" ");
}

/** Everything that is installed may run; the hub may be reached; root may log in. */
async function groupFor({ machine }: Gateway): Promise<JsonObject> {
  const programs = await machine.must(
    "find /usr/bin /usr/sbin /usr/lib /usr/libexec -perm /111 ! -type d ! -name '*.so*' -printf '%f\\n' 2>/dev/null | sort -u",
  );
  const list = (ruleType: string, allowlistValues: readonly string[]): JsonObject => ({
    ruleType,
    isEnabled: true,
    allowlistValues: [...allowlistValues],
  });
  const range = (ruleType: string, maxThreshold: number): JsonObject => ({
    ruleType,
    isEnabled: true,
    minThreshold: 0,
    maxThreshold,
    timeWindowSize: "PT1M",
  });
  return {
    type: "Microsoft.Security/deviceSecurityGroups",
    name: "default",
    properties: {
      allowlistRules: [
        list("ProcessNotAllowed", programs.split("\n")),
        list("ConnectionToIpNotAllowed", [`${HOST_ADDRESS}/24`]),
        list("LocalUserNotAllowed", ["root"]),
      ],
      timeWindowRules: [
        range("FailedLocalLoginsNotInAllowedRange", MOST_FAILED),
        range("ActiveConnectionsNotInAllowedRange", MOST_CONNECTIONS),
      ],
    },
  };
}

/** What each rule must have told: the value of a list rule, and nothing else. */
const EXPECTED: readonly (readonly [string, string | undefined])[] = [
  ["ProcessNotAllowed", INTRUDER],
  ["ConnectionToIpNotAllowed", OWN_ADDRESS],
  ["LocalUserNotAllowed", "alice"],
  ["FailedLocalLoginsNotInAllowedRange", undefined],
  ["ActiveConnectionsNotInAllowedRange", undefined],
];

/**
 * An alert of each rule, about what was done and nothing else, and none of any window after it. Windows
 * that are not over yet are ended by the clock of the machine, which is put forward.
 */
export async function findAlerts(gateway: Gateway, watch: PostureWatch): Promise<void> {
  const missing = (): readonly string[] =>
    EXPECTED.map(([type]) => type).filter((type) => alertsOf(watch, type).length === 0);
  for (let times = 0; missing().length > 0 && times < 3; times += 1) {
    // Less than what the agent takes for a time of nobody watching.
    await gateway.machine.must("date -s '+4 minutes'");
    await untilOr(() => missing().length === 0, 45_000);
  }
  assert.deepEqual(missing(), [], "rules without an alert");
  for (const [type, value] of EXPECTED) {
    const alerts = alertsOf(watch, type);
    gateway.say(`${type}: ${alerts.map(told).join("; ")}`);
    for (const alert of alerts) {
      assert.equal(alert["Value"], value, `${type}: a false alarm`);
      assert.ok(Date.parse(String(alert["WindowEnd"])) > watch.beganAtMs, `${type}: before`);
      assert.ok(Date.parse(String(alert["WindowStart"])) <= watch.endedAtMs, `${type}: after`);
    }
  }
}

function told(alert: JsonObject): string {
  return `${String(alert["Value"] ?? alert["Reason"])} ${String(alert["Count"])} times from ${String(alert["WindowStart"])}`;
}

function alertsOf({ items }: PostureWatch, ruleType: string): readonly JsonObject[] {
  return items.filter((item) => item["RuleType"] === ruleType);
}

async function untilOr(condition: () => boolean, limitMs: number): Promise<void> {
  const endMs = Date.now() + limitMs;
  while (!condition() && Date.now() < endMs) await pause(200);
}

async function machineNowMs({ machine }: Gateway): Promise<number> {
  return Number(await machine.must("date +%s")) * 1_000;
}

function alertRules({ hub }: Gateway): JsonObject {
  return member(member(hub.twin().reported["gatewarden"], "posture"), "alertRules");
}

function member(value: JsonValue | undefined, name: string): JsonObject {
  const found = isJsonObject(value) ? value[name] : undefined;
  return isJsonObject(found) ? found : {};
}
