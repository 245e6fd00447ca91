import type { JsonObject } from "../../src/contract/json.ts";
import type { StoredEvent } from "../eventhubs/partition-log.ts";
import { agentEvent, agentMessage, message, twinChange } from "../posture/fleet/records.ts";

export interface TrafficForm {
  readonly devices: number;
  readonly partitions: number;
  readonly events: number;
  /** Time of the first event and of the end, ms since the Unix epoch. */
  readonly startMs: number;
  readonly endMs: number;
}

/** Source: Steele and Vigna, SplitMix; the same numbers in every run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/**
 * What a fleet sends, by partition, in order of time: measurements, changes of twins and reports of agents
 * about failed logins. A tenth of the devices talks ten times as much as the others; half of them have a
 * security group. The last event of each partition comes an hour later and closes all windows.
 */
export function fleetTraffic(form: TrafficForm): readonly (readonly StoredEvent[])[] {
  const random = numbers(1);
  const { devices, partitions, startMs, endMs } = form;
  const logs: StoredEvent[][] = Array.from({ length: partitions }, () => []);
  for (let at = 0; at < form.events; at += 1) {
    const atMs = Math.floor(startMs + ((endMs - startMs) * at) / form.events);
    const isLoud = random() < 0.5;
    const device = Math.floor(random() * (isLoud ? devices / 10 : devices));
    logs[device % partitions]?.push(eventOf(device, atMs, at, random()));
  }
  for (const [at, log] of logs.entries()) {
    log.push(stored(message(`closer${at}`, endMs + 3_600_000, { Protocol: "MQTT" })));
  }
  return logs;
}

function eventOf(device: number, atMs: number, serial: number, dice: number): StoredEvent {
  const id = `gateway${String(device).padStart(5, "0")}`;
  const tags = {
    Protocol: device % 3 === 0 ? "AMQP" : "MQTT",
    ...(device % 2 === 0 ? { SecurityGroup: "edge" } : {}),
  };
  if (dice < 0.7) return stored(message(id, atMs, tags));
  if (dice < 0.85) return stored(twinChange(id, atMs, "updateTwin", tags));
  const login = { Result: dice < 0.95 ? "Fail" : "Success", UserName: "operator" };
  const event = agentEvent("Login", atMs - Math.floor(dice * 60_000), login, `login ${serial}`);
  return stored(agentMessage(id, atMs, [event], tags));
}

function stored(record: ReturnType<typeof message>): StoredEvent {
  return {
    body: record.body ?? "",
    annotations: record.systemProperties as Readonly<Record<string, string | number>>,
    properties: record.properties as Readonly<Record<string, string>>,
    enqueuedAtMs: record.enqueuedAtMs,
  };
}

function range(ruleType: string, minThreshold: number, maxThreshold: number, size: string) {
  return { ruleType, isEnabled: true, minThreshold, maxThreshold, timeWindowSize: size };
}

/** Two groups with rules that such traffic violates here and there. */
export const TRAFFIC_GROUPS: JsonObject = {
  value: ["default", "edge"].map((name) => ({
    id: `/subscriptions/s/resourceGroups/g/providers/Microsoft.Devices/IotHubs/fleet-hub/providers/Microsoft.Security/deviceSecurityGroups/${name}`,
    name,
    type: "Microsoft.Security/deviceSecurityGroups",
    properties: {
      thresholdRules: [],
      denylistRules: [],
      allowlistRules: [],
      timeWindowRules: [
        range("MqttD2CMessagesNotInAllowedRange", name === "edge" ? 1 : 0, 25, "PT5M"),
        range("AmqpD2CMessagesNotInAllowedRange", 0, 25, "PT5M"),
        range("TwinUpdatesNotInAllowedRange", 0, 5, "PT7M"),
        range("FailedLocalLoginsNotInAllowedRange", 0, name === "edge" ? 2 : 3, "PT10M"),
      ],
    },
  })),
};
