/** What one rule must say of three devices. */
import type { DeviceExtras } from "../../src/baseline/device.ts";
import type { SocketFacts } from "../../src/contract/probe.ts";
import type { RootFiles } from "./memory-root.ts";

/** A device: files of its root, and what is not in files. */
export interface CaseDevice {
  readonly files: RootFiles;
  /** `false`: a root that does not run, where /proc and /sys do not speak of it. True where absent. */
  readonly isLive?: boolean;
  readonly sockets?: readonly SocketFacts[];
  readonly extras?: DeviceExtras;
  /** Wall clock, ms; 2026-01-01 where absent. */
  readonly nowMs?: number;
}

export interface RuleCases {
  readonly rule: string;
  readonly pass: readonly CaseDevice[];
  readonly fail: readonly CaseDevice[];
  /** Empty only with `alwaysApplies`. */
  readonly notApplicable: readonly CaseDevice[];
  /** Why there is no device that the rule does not apply to. */
  readonly alwaysApplies?: string;
  /** Files whose garbage must give `error`, each with a device that is fine but for it. */
  readonly error?: readonly CaseDevice[];
}
