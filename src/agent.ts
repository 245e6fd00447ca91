import type { Agent, AgentOptions } from "./agent/agent-contract.ts";
import { createAgentFacts } from "./agent/agent-facts.ts";
import { createAgentPipeline } from "./agent/agent-pipeline.ts";
import { type ChangeRounds, createChangeRounds } from "./agent/change-rounds.ts";
import { type CollectorHost, createCollectorHost } from "./agent/collector-host.ts";
import { createFindings, type Findings } from "./agent/findings.ts";
import { createLossBook, type LossBook } from "./agent/loss-book.ts";
import { createMethodActions } from "./agent/method-actions.ts";
import { answerMethod } from "./agent/methods.ts";
import { createPostureDesk, type PostureDesk } from "./agent/posture/posture-desk.ts";
import { type AgentStatusParts, agentStatus } from "./agent/status.ts";
import { createTwinLink, type TwinLink } from "./agent/twin-link.ts";
import type { DiagnosticFinding } from "./contract/agent-facts.ts";
import { eventsOf } from "./contract/collector.ts";
import { describeError } from "./contract/errors.ts";
import type { EventDraft } from "./contract/event.ts";
import type { JsonObject, JsonValue } from "./contract/json.ts";
import type { Settings } from "./contract/settings.ts";
import type { TransportStatus } from "./contract/transport.ts";
import { createLedger, type Ledger } from "./pipeline/ledger.ts";
import type { Pipeline } from "./pipeline/pipeline.ts";
import { openSpool } from "./pipeline/spool/spool.ts";
import { QUEUES, type Spool } from "./pipeline/spool/spool-contract.ts";
import { createSnapshotSchedule, type SnapshotSchedule } from "./schedule/snapshot-schedule.ts";
import { createCursorStore } from "./system/cursor-store.ts";
import { SECURITY_GROUPS_NAME } from "./twin/classic-names.ts";
import type { TwinController } from "./twin/twin-controller.ts";

/**
 * One attempt to send ends after a minute at the latest, and a change of settings after some seconds:
 * beyond this, something hangs.
 */
const LONGEST_STEP_MS = 300_000;
const COLLECTOR_DEADLINE_MS = 30_000;
const METHOD_FLUSH_MS = 20_000;
const LEDGER_FILE = "ledger.json";
const TWIN_FILE = "twin.json";

/** Builds the agent from its parts. Nothing happens before `start`. */
export function createAgent(options: AgentOptions): Agent {
  return new ComposedAgent(options);
}

/** Rules of custom alerts that the twin desires, as written. */
function securityGroupsOf(twin: TwinController): JsonValue | undefined {
  return twin.verdict.documents[SECURITY_GROUPS_NAME];
}

class ComposedAgent implements Agent {
  private readonly options: AgentOptions;
  private readonly findings: Findings = createFindings();
  private readonly losses: LossBook = createLossBook((name) => this.settings.eventPriority[name]);
  private readonly ledger: Ledger;
  private readonly spool: Spool;
  private readonly pipeline: Pipeline;
  private readonly posture: PostureDesk;
  private readonly host: CollectorHost;
  private readonly changeRounds: ChangeRounds;
  private readonly schedule: SnapshotSchedule;
  private readonly twinLink: TwinLink;
  private readonly startedAtMs: number;
  /** Nothing was ever sent from this state directory. */
  private isNewDevice: boolean;
  private settings: Settings;
  private transportStatus: TransportStatus = { state: "stopped" };
  private changing: Promise<void> = Promise.resolve();
  private changingSinceMs: number | undefined;
  private stopping: Promise<void> | undefined;

  constructor(options: AgentOptions) {
    this.options = options;
    const { clock, random, log, state, transport, twin } = options;
    this.settings = twin.settings;
    this.startedAtMs = clock.monotonicMs();
    this.ledger = createLedger(clock);
    const ledger = state.readJson(LEDGER_FILE);
    this.isNewDevice = ledger === undefined;
    this.ledger.restore(ledger);
    this.spool = openSpool({
      folder: state.spoolFolder,
      maxCacheBytes: this.settings.maxCacheBytes,
      clock,
      log,
      flush: options.spoolFlush,
    });
    this.pipeline = this.createPipeline();
    this.posture = this.createPosture();
    this.posture.applySettings(this.settings, securityGroupsOf(twin));
    twin.describePosture(this.posture.summary());
    this.host = createCollectorHost({
      collectors: options.collectors,
      probe: options.probe,
      clock,
      log,
      facts: createAgentFacts({
        processId: options.processId,
        findings: this.findings,
        ledger: this.ledger,
        spool: this.spool,
        losses: this.losses,
      }),
      mask: options.mask,
      settingsOf: options.collectorSettings,
      cursorOf: (collector) => createCursorStore(state.cursorFolder, collector.name, log),
      submit: (drafts) => this.submit(drafts),
      onDiagnostic: (finding) => this.report(finding),
      onSnapshot: (name, snapshot) => this.posture.take(name, snapshot),
      onChange: (collector) => this.changeRounds.noticed(collector),
    });
    this.changeRounds = createChangeRounds({
      clock,
      run: (collector) => void this.schedule.runNow([collector]),
    });
    this.schedule = createSnapshotSchedule({
      clock,
      random,
      jobs: () => this.host.jobs(),
      // Whoever has just set a device up is waiting to see it; a fleet restarts with its state.
      firstDelayMs: this.isNewDevice ? 0 : options.firstSnapshotDelayMs,
      jitterMs: this.isNewDevice ? 0 : options.firstSnapshotJitterMs,
      intervalMs: this.settings.snapshotIntervalMs,
      deadlineMs: COLLECTOR_DEADLINE_MS,
      onReport: ({ name, outcome, detail }) => {
        if (outcome !== "done") log.warn({ collector: name, outcome, detail }, "snapshot failed");
      },
    });
    this.twinLink = createTwinLink({
      controller: twin,
      transport,
      clock,
      random,
      log,
      save: (saved) => state.writeJson(TWIN_FILE, saved),
      onSettings: (settings) => this.applySettings(settings),
      onFinding: (finding) => this.findings.configuration.publish(finding),
      onMerged: () => this.posture.applySettings(this.settings, securityGroupsOf(twin)),
    });
  }

  private createPipeline(): Pipeline {
    const { clock, random, log, state, transport, collectors, mask } = this.options;
    const { agentVersion, agentId, addedPropertyBytes } = this.options;
    return createAgentPipeline({
      collectors,
      settings: this.settings,
      spool: this.spool,
      spoolFolder: state.spoolFolder,
      ledger: this.ledger,
      envelope: { agentVersion, agentId, addedPropertyBytes },
      mask,
      transport,
      clock,
      random,
      log,
      onSent: (sent) => {
        state.writeJson(LEDGER_FILE, this.ledger.toJson());
        const { kind, meteredBytes } = sent.message;
        if (kind === "security") this.posture.messageSent(meteredBytes);
        this.options.observer?.onSent?.(sent);
      },
      onDiagnostic: (finding) => this.report(finding),
    });
  }

  private createPosture(): PostureDesk {
    const { clock, log, probe, state, twin, collectors, agentId } = this.options;
    return createPostureDesk({
      clock,
      log,
      probe,
      state,
      settings: this.settings,
      collected: collectors.flatMap(eventsOf).map(({ eventName }) => eventName),
      subject: agentId,
      securityGroups: this.options.securityGroups,
      remarks: () => twin.verdict.findings,
      submit: (drafts) => this.pipeline.submitExtensions(drafts),
      onFinding: (finding) => this.findings.configuration.publish(finding),
      onSummary: () => {
        twin.describePosture(this.posture.summary());
        this.twinLink.reportedChanged();
      },
    });
  }

  private submit(drafts: readonly EventDraft[]): void {
    this.pipeline.submit(drafts);
    this.posture.count(drafts);
    this.options.observer?.onCollected?.(drafts);
  }

  report(finding: DiagnosticFinding): void {
    this.findings.diagnostics.publish(finding);
    this.options.observer?.onDiagnostic?.(finding);
  }

  async start(): Promise<void> {
    for (const finding of this.options.findings) this.findings.configuration.publish(finding);
    this.posture.start();
    await this.host.applySettings(this.settings);
    this.schedule.start();
    const { collectors, clock } = this.options;
    const methods = createMethodActions({
      collectors,
      clock,
      schedule: this.schedule,
      posture: this.posture,
      status: () => this.status(),
      flush: () => this.flush(METHOD_FLUSH_MS),
    });
    this.options.transport.start({
      onStatus: (status) => this.onStatus(status),
      onDesired: (update) => this.twinLink.onDesired(update),
      onMethod: (call) => answerMethod(call, methods),
      onAnomaly: (what) => this.options.log.warn({ what }, "hub did something odd, survived"),
    });
  }

  private onStatus(status: TransportStatus): void {
    this.transportStatus = status;
    const isConnected = status.state === "connected";
    this.pipeline.setConnected(isConnected);
    this.twinLink.setConnected(isConnected);
    this.options.observer?.onStatus?.(status);
    const { log } = this.options;
    if (isConnected) {
      log.info({ transport: this.options.transport.name }, "connected");
      this.introduce();
    }
    if (status.state === "disconnected") {
      const { fault, detail, remedy } = status;
      log.warn({ fault, detail, remedy, retryInMs: status.retryInMs }, "not connected");
    }
  }

  /** The first connection of a new device: what the first snapshots found is sent at once. */
  private introduce(): void {
    if (!this.isNewDevice) return;
    this.isNewDevice = false;
    // An empty run ends when the round before it has.
    void this.schedule.runNow([]).then(() => this.pipeline.flush(METHOD_FLUSH_MS));
  }

  /** One change after the other: what waits goes first, then only what changed is restarted. */
  private applySettings(settings: Settings): void {
    const intervalBefore = this.settings.snapshotIntervalMs;
    this.settings = settings;
    this.changing = this.changing
      .then(async () => {
        this.changingSinceMs = this.options.clock.monotonicMs();
        await this.pipeline.applySettings(settings);
        const newlyOn = await this.host.applySettings(settings);
        if (settings.snapshotIntervalMs !== intervalBefore) {
          this.schedule.changeInterval(settings.snapshotIntervalMs);
        }
        if (newlyOn.length > 0) await this.schedule.runNow(newlyOn);
      })
      .catch((error: unknown) => {
        this.options.log.error({ reason: describeError(error) }, "settings not applied");
      })
      .finally(() => {
        this.changingSinceMs = undefined;
      });
  }

  flush(deadlineMs: number): ReturnType<Agent["flush"]> {
    return this.pipeline.flush(deadlineMs);
  }

  stop(deadlineMs: number): Promise<void> {
    this.stopping ??= this.stopInOrder(deadlineMs);
    return this.stopping;
  }

  private async stopInOrder(deadlineMs: number): Promise<void> {
    const { clock, state, transport } = this.options;
    const endsAtMs = clock.monotonicMs() + deadlineMs;
    this.changeRounds.stop();
    await this.schedule.stop();
    await this.host.stop();
    this.posture.stop();
    await this.pipeline.flush(deadlineMs);
    this.twinLink.stop();
    await this.pipeline.stop();
    await transport.stop(Math.max(500, endsAtMs - clock.monotonicMs()));
    await this.spool.close();
    state.writeJson(LEDGER_FILE, this.ledger.toJson());
  }

  toDisk(): Promise<void> {
    return this.spool.sync();
  }

  stuck(): string | undefined {
    const nowMs = this.options.clock.monotonicMs();
    const isLong = (sinceMs: number | undefined): boolean =>
      sinceMs !== undefined && nowMs - sinceMs > LONGEST_STEP_MS;
    if (isLong(this.pipeline.sendingSinceMs)) return "a message is neither sent nor given up";
    return isLong(this.changingSinceMs) ? "a change of settings does not end" : undefined;
  }

  statusLine(): string {
    const waiting = QUEUES.reduce((sum, queue) => sum + this.spool.state(queue).events, 0);
    const { state } = this.transportStatus;
    return `${state}; events waiting: ${waiting}`;
  }

  status(): JsonObject {
    const parts: AgentStatusParts = {
      agentId: this.options.agentId,
      agentVersion: this.options.agentVersion,
      upSeconds: Math.round((this.options.clock.monotonicMs() - this.startedAtMs) / 1_000),
      transport: this.options.transport.name,
      connection: this.transportStatus,
      settings: this.settings,
      spool: this.spool,
      day: this.ledger.day(),
      quarantined: this.pipeline.quarantined,
      collectors: this.host.status(),
      nextSnapshotInMs: this.schedule.nextRoundInMs(),
      memory: this.options.memory(),
    };
    return agentStatus(parts);
  }
}
