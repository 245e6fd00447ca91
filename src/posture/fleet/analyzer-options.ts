import type { SecurityGroup } from "../alerts/security-group.ts";
import type { DeviceFacts } from "./device-facts.ts";
import { FLEET_INPUTS, type FleetInput, type FleetLateness } from "./fleet-rules.ts";

export interface PartitionAnalyzerOptions {
  /** All security groups of the owner, as `readSecurityGroups` gives them. */
  readonly groups: readonly SecurityGroup[];
  /** Name of the hub: part of every alert's id, and groups of other hubs are left out. */
  readonly hub: string;
  /**
   * Of which it is certain that this partition gets all of them for each of its devices. Only there is
   * silence judged; what comes of the others is counted all the same. Default: messages.
   */
  readonly inputs?: readonly FleetInput[];
  readonly lateness?: Partial<FleetLateness>;
  /**
   * What the owner tells of devices beforehand, see `readDeviceFacts`. It counts where no record has told
   * otherwise; devices that no record tells of are not judged for it. Default: nothing.
   */
  readonly devices?: ReadonlyMap<string, DeviceFacts>;
  /** Application property with the name of the security group; default `SecurityGroup`. */
  readonly groupProperty?: string;
  /**
   * Application property with the protocol of the device, for those who know it from elsewhere than the
   * log of connections. Default: none, because a device may set any property that no enrichment sets.
   */
  readonly protocolProperty?: string;
  /** Which of the two that tell of the same updates counts; default `events`. */
  readonly twinUpdates?: "events" | "logs";
  /** Which of the two that tell of the same purges counts; default `feedback`. */
  readonly queuePurges?: "feedback" | "logs";
  /** Window in which list rules count; default 5 minutes. */
  readonly listWindowMs?: number;
  /** How far ahead an agent's clock may be; default 5 minutes. */
  readonly aheadMs?: number;
  /** How long a device is known after its last record, at most a week; default a day. */
  readonly rememberMs?: number;
  /** Devices that are known, and devices in one window; further ones are counted as skipped. Default 50,000. */
  readonly maxDevices?: number;
  /** How far the clock of `tick` may be ahead of the event hub's; default 30 seconds. */
  readonly tickSlackMs?: number;
  /**
   * `snapshot()` is kept with each checkpoint and given back by `restore`. Then a replay needs only begin
   * where something is held; without, at the start of each window that is not over. Default false.
   */
  readonly keepsSnapshot?: boolean;
}

export type ReadyOptions = Required<
  Omit<PartitionAnalyzerOptions, "lateness" | "protocolProperty">
> & {
  readonly lateness: FleetLateness;
  readonly protocolProperty: string | undefined;
};

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 1_440 * MINUTE_MS;

/** An event that comes again after longer is counted again. */
export const REPEAT_MS = 10 * MINUTE_MS;

export function readyOptions(given: PartitionAnalyzerOptions): ReadyOptions {
  const upToADay = (value: number | undefined, standing: number) =>
    bounded(value ?? standing, 0, DAY_MS);
  const { lateness = {} } = given;
  return {
    groups: given.groups,
    hub: given.hub,
    inputs: FLEET_INPUTS.filter((input) => (given.inputs ?? ["messages"]).includes(input)),
    lateness: {
      endpointMs: upToADay(lateness.endpointMs, 2 * MINUTE_MS),
      logsMs: upToADay(lateness.logsMs, 15 * MINUTE_MS),
      noticesMs: upToADay(lateness.noticesMs, 15 * MINUTE_MS),
      agentMs: upToADay(lateness.agentMs, 15 * MINUTE_MS),
    },
    devices: given.devices ?? new Map(),
    groupProperty: given.groupProperty ?? "SecurityGroup",
    protocolProperty: given.protocolProperty,
    twinUpdates: given.twinUpdates ?? "events",
    queuePurges: given.queuePurges ?? "feedback",
    listWindowMs: bounded(given.listWindowMs ?? 5 * MINUTE_MS, MINUTE_MS, DAY_MS),
    aheadMs: upToADay(given.aheadMs, 5 * MINUTE_MS),
    rememberMs: bounded(given.rememberMs ?? DAY_MS, MINUTE_MS, 7 * DAY_MS),
    maxDevices: bounded(given.maxDevices ?? 50_000, 1, 1_000_000),
    tickSlackMs: upToADay(given.tickSlackMs, 30 * SECOND_MS),
    keepsSnapshot: given.keepsSnapshot ?? false,
  };
}

function bounded(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
