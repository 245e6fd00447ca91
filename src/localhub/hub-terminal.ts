import { describeError } from "../contract/errors.ts";
import type { JsonObject, JsonValue } from "../contract/json.ts";
import { parseJson, parseJsonObject } from "../parse/json.ts";
import { nearestName } from "../parse/nearest-name.ts";
import type { HubFaults, LocalHub } from "./hub-contract.ts";

/** How much of each message the terminal shows. */
export type MessageDetail = "off" | "on" | "full";

/** What a line of input did. */
export interface TerminalReply {
  readonly lines: readonly string[];
  readonly isQuit?: boolean;
  /** Set by the command `messages`. */
  readonly messages?: MessageDetail;
}

const CONFIGURATION_OBJECT = "ms_iotn:urn_azureiot_Security_SecurityAgentConfiguration";

type Action = (hub: LocalHub, rest: string) => TerminalReply | Promise<TerminalReply>;

interface TerminalCommand {
  readonly usage: string;
  readonly does: string;
  readonly run: Action;
}

const COMMANDS: Readonly<Record<string, TerminalCommand>> = {
  help: { usage: "help", does: "this list", run: () => ({ lines: helpLines() }) },
  twin: { usage: "twin", does: "show desired and reported properties", run: showTwin },
  set: {
    usage: "set PROPERTY VALUE",
    does: "set a property of the security configuration, such as: set snapshotFrequency PT1M",
    run: setProperty,
  },
  unset: { usage: "unset PROPERTY", does: "delete it: back to its default", run: unsetProperty },
  patch: { usage: "patch JSON", does: "merge into desired properties; null deletes", run: patch },
  replace: { usage: "replace JSON", does: "replace all desired properties", run: replace },
  call: {
    usage: "call METHOD [JSON]",
    does: "call a direct method: status, collect, flush",
    run: call,
  },
  messages: {
    usage: "messages off|on|full",
    does: "show nothing, a line, or the body of each message",
    run: messages,
  },
  connections: { usage: "connections", does: "who is connected", run: connections },
  fault: {
    usage: "fault NAME [ARGUMENT]",
    does: "make trouble; `fault` alone lists it",
    run: fault,
  },
  quit: { usage: "quit", does: "stop the hub", run: () => ({ lines: [], isQuit: true }) },
};

/** Carries out one line typed into `gatewarden hub`. Never rejects: what is wrong is said in a line. */
export async function runTerminalLine(hub: LocalHub, line: string): Promise<TerminalReply> {
  const [, name = "", rest = ""] = /^\s*(\S*)\s*([\s\S]*?)\s*$/.exec(line) ?? [];
  if (name === "") return { lines: [] };
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) return unknownWord("command", name, Object.keys(COMMANDS));
  try {
    return await command.run(hub, rest);
  } catch (error) {
    return { lines: [describeError(error)] };
  }
}

function helpLines(): readonly string[] {
  const width = Math.max(...Object.values(COMMANDS).map((command) => command.usage.length));
  return Object.values(COMMANDS).map(({ usage, does }) => `  ${usage.padEnd(width)}  ${does}`);
}

function unknownWord(what: string, word: string, known: readonly string[]): TerminalReply {
  const nearest = nearestName(word, known);
  const hint = nearest === undefined ? `try: ${known.join(", ")}` : `did you mean ${nearest}?`;
  return { lines: [`there is no ${what} '${word.slice(0, 40)}'; ${hint}`] };
}

function showTwin(hub: LocalHub): TerminalReply {
  const { desired, reported } = hub.twin();
  const text = JSON.stringify({ desired: plain(desired), reported: plain(reported) }, null, 2);
  return { lines: text.split("\n") };
}

function plain(properties: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => key !== "$metadata"));
}

function setProperty(hub: LocalHub, rest: string): TerminalReply {
  const [, property = "", text = ""] = /^(\S+)\s+([\s\S]+)$/.exec(rest) ?? [];
  if (property === "") return { lines: ["usage: set PROPERTY VALUE"] };
  const parsed = parseJson(text, "value");
  const value: JsonValue = parsed.ok ? parsed.value : text;
  const version = hub.patchDesired({ [CONFIGURATION_OBJECT]: { [property]: { value } } });
  return { lines: [`desired version ${version}: ${property} is ${JSON.stringify(value)}`] };
}

function unsetProperty(hub: LocalHub, property: string): TerminalReply {
  if (property === "") return { lines: ["usage: unset PROPERTY"] };
  const version = hub.patchDesired({ [CONFIGURATION_OBJECT]: { [property]: null } });
  return { lines: [`desired version ${version}: ${property} deleted`] };
}

function patch(hub: LocalHub, text: string): TerminalReply {
  const parsed = parseJsonObject(text, "patch");
  if (!parsed.ok) return { lines: [`patch: ${parsed.problem.detail}`] };
  return { lines: [`desired version ${hub.patchDesired(parsed.value)}`] };
}

function replace(hub: LocalHub, text: string): TerminalReply {
  const parsed = parseJsonObject(text, "desired properties");
  if (!parsed.ok) return { lines: [`replace: ${parsed.problem.detail}`] };
  return { lines: [`desired version ${hub.replaceDesired(parsed.value)}`] };
}

async function call(hub: LocalHub, rest: string): Promise<TerminalReply> {
  const [, method = "", text = ""] = /^(\S+)\s*([\s\S]*)$/.exec(rest) ?? [];
  if (method === "") return { lines: ["usage: call METHOD [JSON]"] };
  const payload = text === "" ? undefined : parseJson(text, "payload");
  if (payload?.ok === false) return { lines: [`payload: ${payload.problem.detail}`] };
  const reply = await hub.invokeMethod(method, payload?.value ?? null);
  const body = JSON.stringify(reply.payload, null, 2).split("\n");
  return { lines: [`status ${reply.status}`, ...body] };
}

function messages(_hub: LocalHub, detail: string): TerminalReply {
  if (detail === "off" || detail === "on" || detail === "full") {
    return { lines: [`messages: ${detail}`], messages: detail };
  }
  return { lines: ["usage: messages off|on|full"] };
}

function connections(hub: LocalHub): TerminalReply {
  const lines = hub.connections.map(
    ({ identity, remote, tlsVersion, via }) =>
      `${identity.deviceId}/${identity.moduleId ?? ""} from ${remote}, ${tlsVersion}, ${via}`,
  );
  return { lines: lines.length === 0 ? ["nobody is connected"] : lines };
}

interface FaultCommand {
  readonly usage: string;
  readonly run: (faults: HubFaults, argument: string) => void | Promise<void>;
}

const FAULTS: Readonly<Record<string, FaultCommand>> = {
  drop: { usage: "drop: cut all connections", run: (faults) => faults.dropConnections() },
  down: { usage: "down: stop listening", run: (faults) => faults.goDown() },
  up: { usage: "up: listen again", run: (faults) => faults.resume() },
  "lose-sessions": {
    usage: "lose-sessions: forget MQTT sessions and cut connections",
    run(faults) {
      faults.loseSessions();
      faults.dropConnections();
    },
  },
  "withhold-puback": {
    usage: "withhold-puback on|off",
    run: (faults, argument) => faults.withholdPuback(isOn(argument)),
  },
  "delay-suback": {
    usage: "delay-suback MILLISECONDS",
    run: (faults, argument) => faults.delaySuback(count(argument, 0)),
  },
  throttle: {
    usage: "throttle N: end the connection at each of the next N messages",
    run: (faults, argument) => faults.throttle(count(argument, 1)),
  },
  "twin-error": {
    usage: "twin-error STATUS: answer the next twin read so",
    run: (faults, argument) => faults.answerTwinGets({ status: count(argument, 429) }, 1),
  },
  "twin-silence": {
    usage: "twin-silence N: leave the next N twin reads unanswered",
    run: (faults, argument) => faults.ignoreTwinGets(count(argument, 1)),
  },
  race: {
    usage: "race JSON: merge this into desired properties just before the next twin read",
    run: (faults, argument) => faults.patchBeforeNextTwinGet(raceOf(argument)),
  },
  raw: {
    usage: "raw TEXT: send any text as a desired patch",
    run: (faults, argument) => faults.pushRawDesired(argument),
  },
  "report-error": {
    usage: "report-error STATUS: answer the next reported patch so",
    run: (faults, argument) => faults.answerReports({ status: count(argument, 429) }, 1),
  },
  "reject-login": {
    usage: "reject-login on|off",
    run: (faults, argument) => faults.rejectAuthentication(isOn(argument)),
  },
  "expire-token": {
    usage: "expire-token: end connections",
    run: (faults) => faults.expireTokens(),
  },
  certificate: {
    usage: "certificate own|other-host|untrusted|expired",
    run: (faults, argument) => faults.presentCertificate(certificateName(argument)),
  },
};

async function fault(hub: LocalHub, rest: string): Promise<TerminalReply> {
  const [, name = "", argument = ""] = /^(\S*)\s*([\s\S]*)$/.exec(rest) ?? [];
  if (name === "") return { lines: Object.values(FAULTS).map(({ usage }) => `  fault ${usage}`) };
  const command = Object.hasOwn(FAULTS, name) ? FAULTS[name] : undefined;
  if (command === undefined) return unknownWord("fault", name, Object.keys(FAULTS));
  await command.run(hub.faults, argument);
  return { lines: [`fault ${name}${argument === "" ? "" : ` ${argument}`}: done`] };
}

function count(text: string, fallback: number): number {
  if (text === "") return fallback;
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw new Error(`'${text.slice(0, 20)}' is no whole number`);
}

function isOn(text: string): boolean {
  if (text === "" || text === "on") return true;
  if (text === "off") return false;
  throw new Error("expected on or off");
}

function raceOf(text: string): JsonObject {
  const parsed = parseJsonObject(text, "patch");
  if (parsed.ok) return parsed.value;
  throw new Error(`patch: ${parsed.problem.detail}`);
}

function certificateName(text: string): "other-host" | "untrusted" | "expired" | undefined {
  if (text === "own") return undefined;
  if (text === "other-host" || text === "untrusted" || text === "expired") return text;
  throw new Error("expected own, other-host, untrusted or expired");
}
