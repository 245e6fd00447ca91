import { join } from "node:path";
import { COLLECTORS } from "../../collectors/index.ts";
import type { Agent, AgentObserver } from "../agent/agent-contract.ts";
import { beginRun, type RunRecord, type RunRecordStore } from "../agent/run-record.ts";
import { openStateFolder, type StateFolder } from "../agent/state-folder.ts";
import { createAgent } from "../agent.ts";
import { type ConfigReading, configurationFindings } from "../config/read-config.ts";
import type { Collector } from "../contract/collector.ts";
import { AgentError } from "../contract/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../contract/json.ts";
import type { Log } from "../contract/log.ts";
import type { Probe } from "../contract/probe.ts";
import { describeFault, type Fault } from "../contract/schema.ts";
import { parseJson } from "../parse/json.ts";
import { createSecretMask } from "../parse/mask-secrets.ts";
import { systemClock } from "../system/clock.ts";
import { type Environment, memory } from "../system/environment.ts";
import { readSmallText, writeFileAtomically } from "../system/files.ts";
import { createProbe } from "../system/probe.ts";
import { systemRandom } from "../system/random.ts";
import { pathOfReference, readSecret } from "../system/secrets.ts";
import { createTransport } from "../transport/create-transport.ts";
import type { AssignmentStore, TransportDeps } from "../transport/transport-options.ts";
import { createClassicDialect } from "../twin/classic-dialect.ts";
import { SECURITY_GROUPS_NAME } from "../twin/classic-names.ts";
import { readLocalSettings } from "../twin/local-settings.ts";
import { restoreTwinController } from "../twin/twin-controller.ts";
import { transportOptionsOf } from "./transport-options.ts";
import { VERSION } from "./version.ts";

export interface AssembledAgent {
  readonly agent: Agent;
  readonly agentId: string;
  /** Begins the record of this run, which knows how the last one ended. */
  beginRun(): RunRecord;
  /** Gives the state directory free. Call after `agent.stop`. */
  release(): void;
}

export interface AssembleOptions {
  readonly reading: ConfigReading;
  readonly environment: Environment;
  readonly log: Log;
  readonly observer?: AgentObserver;
  /** Folder that the unit takes credentials from; serves where systemd gave none. */
  readonly credentialsSource?: string;
}

const SECURITY_INTERFACE_BYTES = "urn:azureiot:Security:SecurityAgent:1".length;
const MAX_RUN_BYTES = 4_096;
const MAX_PEM_BYTES = 1_048_576;
const MOST_FAULTS_TOLD = 8;

/**
 * Puts an agent together from its configuration. Throws AgentError when a person must act: no usable
 * transport, an exposed secret, a state directory that cannot be used.
 */
export async function assembleAgent(options: AssembleOptions): Promise<AssembledAgent> {
  const { reading, environment, log } = options;
  const { config } = reading;
  if (reading.transport === undefined) throw unusableConfiguration(reading);
  const state = openStateFolder(config.stateDirectory, log);
  try {
    const agentId = state.agentId(config.agentId, systemRandom);
    const probe = createProbe({ root: "/", log });
    const kernel = probe.kernel();
    const hostName = kernel.ok ? kernel.value.hostName : "device";
    const transport = await createTransport(
      transportOptionsOf(reading.transport, { hostName, agentId }),
      transportDeps(environment, log, {
        assignments: {
          load: () => assignmentFrom(state.readJson("assignment.json")),
          save: (assignment) => state.writeJson("assignment.json", { ...assignment }),
        },
        credentialsSource: options.credentialsSource,
      }),
    );
    const local = readLocalSettings(config.settings);
    const restored = restoreTwinController(
      { dialect: createClassicDialect(local.settings), agentVersion: VERSION },
      transport.hasTwin ? state.readJson("twin.json") : undefined,
    );
    if (restored.problem !== undefined) {
      log.warn({ reason: restored.problem.detail }, "kept twin state unusable, defaults stand");
    }
    const collectors = collectorSettings(config.collectors);
    for (const line of collectors.faults)
      log.warn({ fault: line }, "collector settings have a fault");
    const agent = createAgent({
      agentId,
      agentVersion: VERSION,
      processId: environment.processId,
      state,
      collectors: COLLECTORS,
      collectorSettings: collectors.of,
      mask: createSecretMask(config.redaction.patterns.map((source) => new RegExp(source, "gu"))),
      probe,
      clock: systemClock,
      random: systemRandom,
      log,
      transport,
      twin: restored.controller,
      spoolFlush: {
        highDelayMs: Math.min(2_000, config.spool.flushDelaySeconds * 1_000),
        lowDelayMs: config.spool.flushDelaySeconds * 1_000,
        maxBytes: config.spool.flushBytes,
      },
      firstSnapshotDelayMs: config.firstSnapshotDelaySeconds * 1_000,
      firstSnapshotJitterMs: config.firstSnapshotJitterSeconds * 1_000,
      addedPropertyBytes: config.iothub.markAsSecurity ? SECURITY_INTERFACE_BYTES : 0,
      securityGroups: {
        file: config.posture.deviceSecurityGroupsFile,
        inConfiguration: local.documents[SECURITY_GROUPS_NAME],
      },
      findings: [...configurationFindings(reading), ...local.findings, ...restored.findings],
      memory: () => ({ ...memory() }),
      ...(options.observer === undefined ? {} : { observer: options.observer }),
    });
    return {
      agent,
      agentId,
      beginRun: () =>
        beginRun({
          store: runRecordStore(state, environment.runtimeDirectory),
          nowMs: systemClock.nowMs,
          bootId: bootId(probe),
          watchdogMs: environment.supervision?.watchdogMs,
        }),
      release: () => state.release(),
    };
  } catch (error) {
    state.release();
    throw error;
  }
}

/** Changes with every boot; empty where the kernel does not say. Source: random(4). */
function bootId(probe: Probe): string {
  const text = probe.readText("/proc/sys/kernel/random/boot_id", 4_096);
  return text.ok ? text.value.trim() : "";
}

function runRecordStore(state: StateFolder, runtimeFolder: string | undefined): RunRecordStore {
  const name = "run.json";
  const kept = {
    read: () => state.readJson(name),
    write: (value: JsonValue) => state.writeJson(name, value),
  };
  if (runtimeFolder === undefined) return { kept, volatile: undefined };
  const path = join(runtimeFolder, name);
  const volatile = {
    read() {
      const text = readSmallText(path, MAX_RUN_BYTES);
      const parsed = text.ok ? parseJson(text.value, name) : text;
      return parsed.ok ? parsed.value : undefined;
    },
    // On tmpfs: what cannot be written is a sign of life less, and no more.
    write: (value: JsonValue) => void writeFileAtomically(path, JSON.stringify(value), 0o600),
  };
  return { kept, volatile };
}

/** What transports need from this machine. */
export function transportDeps(
  environment: Environment,
  log: Log,
  more: {
    readonly assignments?: AssignmentStore;
    readonly credentialsSource?: string | undefined;
  } = {},
): TransportDeps {
  const { assignments, credentialsSource } = more;
  const { credentialsDirectory } = environment;
  const places = { directory: credentialsDirectory, source: credentialsSource };
  return {
    clock: systemClock,
    random: systemRandom,
    log,
    agentVersion: VERSION,
    readSecret: (path, subject) =>
      readSecret(path, subject, credentialsDirectory, credentialsSource),
    readFile(reference) {
      const path = pathOfReference(reference, "the PEM file", places);
      const text = readSmallText(path, MAX_PEM_BYTES);
      if (text.ok) return text.value;
      throw new AgentError("AGENT_CONFIG_UNREADABLE", `${path}: ${text.problem.detail}`, {
        remedy: "Name a readable PEM file.",
      });
    },
    ...(assignments === undefined ? {} : { assignments }),
  };
}

function unusableConfiguration(reading: ConfigReading): AgentError {
  // Faults without an end of their own come along: they are often why the rest is missing.
  const text = [...reading.faults]
    .sort((one, other) => Number(one.severity === "error") - Number(other.severity === "error"))
    .slice(-MOST_FAULTS_TOLD)
    .map(({ key, message }) => (key === "" ? message : `${key}: ${message}`));
  return new AgentError("AGENT_CONFIG_INVALID", text.join("; "), {
    remedy: "See docs/configuration.md, or run `gatewarden doctor --config FILE`.",
  });
}

function assignmentFrom(saved: unknown) {
  if (!isJsonObject(saved)) return undefined;
  const { hostName, deviceId } = saved;
  if (typeof hostName !== "string" || typeof deviceId !== "string") return undefined;
  return { hostName, deviceId };
}

/** Settings of each collector, read once through its schema; faults by name. */
function collectorSettings(given: Readonly<Record<string, JsonObject>>): {
  readonly of: (collector: Collector) => unknown;
  readonly faults: readonly string[];
} {
  const lines: string[] = [];
  const values = new Map<string, unknown>();
  for (const collector of COLLECTORS) {
    const faults: Fault[] = [];
    values.set(collector.name, collector.settings.read(given[collector.name], faults));
    lines.push(...faults.map((fault) => `collectors.${collector.name}.${describeFault(fault)}`));
  }
  const known = COLLECTORS.map((collector) => collector.name);
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) {
      lines.push(`collectors.${name}: unknown collector; known are ${known.join(", ")}`);
    }
  }
  return { of: (collector) => values.get(collector.name), faults: lines };
}
