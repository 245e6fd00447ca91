import type { ConfigurationFinding } from "../contract/agent-facts.ts";
import type { Clock } from "../contract/clock.ts";
import { isJsonObject, type JsonObject } from "../contract/json.ts";
import type { Log } from "../contract/log.ts";
import type { Random } from "../contract/random.ts";
import type { Settings } from "../contract/settings.ts";
import type { DesiredUpdate, Transport } from "../contract/transport.ts";
import type { TwinController } from "../twin/twin-controller.ts";
import { mergePatch } from "../twin/twin-document.ts";
import { createTwinReporter } from "./twin-reporter.ts";

export interface TwinLinkOptions {
  readonly controller: TwinController;
  readonly transport: Pick<Transport, "report">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Keeps the controller's state over a restart. */
  readonly save: (state: JsonObject) => void;
  readonly onSettings: (settings: Settings, changedKeys: readonly string[]) => void;
  readonly onFinding: (finding: ConfigurationFinding) => void;
  /** Desired properties were brought into the document, whether or not a setting changed. */
  readonly onMerged: () => void;
}

/** Carries desired properties from the transport to the settings, and what is in force back. */
export interface TwinLink {
  onDesired(update: DesiredUpdate): void;
  /** What should be reported changed for another reason than an update. */
  reportedChanged(): void;
  setConnected(isConnected: boolean): void;
  stop(): void;
}

export function createTwinLink(options: TwinLinkOptions): TwinLink {
  const { controller, log } = options;
  /** Reported properties as the hub holds them; unknown until the first full read. */
  let atHub: JsonObject | undefined;

  const reporter = createTwinReporter({
    clock: options.clock,
    random: options.random,
    log,
    pending: () => (atHub === undefined ? undefined : controller.reportedPatch(atHub)),
    send: (patch, signal) => options.transport.report(patch, signal),
    onConfirmed: (patch) => {
      atHub = mergePatch(atHub ?? {}, patch);
    },
  });

  return {
    onDesired(update) {
      const change = controller.apply(update);
      if (update.kind === "full") atHub = withoutMetadata(update.reported ?? {});
      if (change.problem !== undefined) {
        log.warn(
          { reason: change.problem.detail, remedy: "check it with `gatewarden twin lint`" },
          "twin refused, the settings in force stay",
        );
      }
      for (const finding of change.findings) {
        options.onFinding(finding);
        log.warn(
          { property: finding.configurationName, type: finding.errorType, detail: finding.message },
          "twin has a fault",
        );
      }
      if (change.status === "merged") options.save(controller.toJson());
      if (change.changedKeys.length > 0) {
        log.info(
          { version: update.version, changed: change.changedKeys.join(" ") },
          "settings changed by the twin",
        );
        options.onSettings(change.settings, change.changedKeys);
      }
      if (change.status === "merged") options.onMerged();
      reporter.changed();
    },
    reportedChanged: () => reporter.changed(),
    setConnected: (isConnected) => reporter.setConnected(isConnected),
    stop: () => reporter.stop(),
  };
}

function withoutMetadata(reported: JsonObject): JsonObject {
  return isJsonObject(reported)
    ? Object.fromEntries(Object.entries(reported).filter(([key]) => !key.startsWith("$")))
    : {};
}
