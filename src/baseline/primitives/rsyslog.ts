import type { Device } from "../device.ts";
import { type RsyslogStatement, rsyslogConfig } from "../facts/rsyslog.ts";
import { keptFacilities } from "../facts/syslog-selectors.ts";
import { allOf, because, decide, evidence, type Outcome } from "../outcome.ts";
import { modeText } from "./file.ts";

/** A property of the configuration of rsyslog, with all that it includes. */
export interface RsyslogCheck {
  readonly test: "rsyslog";
  /**
   * `selectors`: errors of each facility are kept or sent. `file-mode`: new files are at most 0640.
   * `forwards`: messages go to another host. `no-listener`: none are taken from others.
   */
  readonly want: "selectors" | "file-mode" | "forwards" | "no-listener";
}

const MAIN = "/etc/rsyslog.conf";
const FACILITIES = ["auth", "authpriv", "cron", "daemon", "kern", "mail", "syslog", "user"];
const MAX_MODE = 0o640;
const SYSLOG_PORT = 514;

/** Judges the statements; without rsyslog it does not apply. */
export function judgeRsyslog(check: RsyslogCheck, device: Device): Outcome {
  const config = rsyslogConfig(device);
  if (config.state === "unreadable") return because("error", config.reason);
  if (config.state === "missing")
    return because("not-applicable", "rsyslog is not configured here");
  switch (check.want) {
    case "selectors":
      return judgeSelectors(config.value);
    case "file-mode":
      return judgeFileModes(config.value);
    case "forwards":
      return judgeForwards(config.value);
    case "no-listener":
      return judgeListeners(config.value, device);
  }
}

function judgeSelectors(statements: readonly RsyslogStatement[]): Outcome {
  const kept = keptFacilities(statements, FACILITIES);
  const lost = FACILITIES.filter((facility) => !kept.has(facility));
  const expected = `errors of ${FACILITIES.join(", ")} are kept`;
  if (lost.length === 0) return decide(true, evidence(MAIN, expected, "all of them", "persistent"));
  const look = evidence(MAIN, expected, `none for ${lost.join(", ")}`, "persistent");
  if (statements.some(({ isInBlock }) => isInBlock))
    return because("manual", "conditions of the script decide what is kept", [look]);
  return decide(false, look);
}

function judgeFileModes(statements: readonly RsyslogStatement[]): Outcome {
  const outcomes: Outcome[] = [];
  let isGlobal = false;
  for (const { text, path } of statements) {
    const legacy = /^\$FileCreateMode\s+(\S+)/i.exec(text)?.[1];
    const value = legacy ?? /\bfilecreatemode\s*=\s*"([^"]*)"/i.exec(text)?.[1];
    if (value === undefined) continue;
    if (!/^[0-7]{3,4}$/.test(value))
      return because("error", `${path}: ${value} is no mode of a file`);
    isGlobal ||= legacy !== undefined || /^module\s*\(/i.test(text);
    const isGood = (Number.parseInt(value, 8) & ~MAX_MODE) === 0;
    const expected = `mode ${modeText(MAX_MODE)} or tighter`;
    outcomes.push(decide(isGood, evidence(path, expected, value, "persistent")));
  }
  if (!isGlobal) {
    const expected = `$FileCreateMode ${modeText(MAX_MODE)}`;
    outcomes.push(decide(false, evidence(MAIN, expected, "not set, so 0644", "persistent")));
  }
  return allOf(outcomes);
}

function isForwarding(text: string): boolean {
  if (/^action\s*\(|\saction\s*\(/i.test(text)) {
    return (
      /\btype\s*=\s*"om(?:fwd|relp|gssapi)"/i.test(text) && /\btarget\s*=\s*"[^"]+"/i.test(text)
    );
  }
  return (
    !text.startsWith("$") && /^[^"]*\s(?:@@?(?:\([^)]*\))?[\w[]|:om(?:relp|gssapi):\w)/.test(text)
  );
}

function judgeForwards(statements: readonly RsyslogStatement[]): Outcome {
  const hit = statements.find(({ text }) => isForwarding(text));
  const expected = "an action that sends to another host";
  const found = hit === undefined ? "none" : hit.text;
  return decide(hit !== undefined, evidence(hit?.path ?? MAIN, expected, found, "persistent"));
}

/** An input for other hosts; one on loopback is for programs of the device. */
function isListening(text: string): boolean {
  if (/^\$(?:Input(?:TCP|RELP|GSS|PTCP)ServerRun|UDPServerRun)\b/i.test(text)) return true;
  if (!/\binput\s*\(.*\btype\s*=\s*"im(?:tcp|ptcp|udp|relp|gssapi|dtls)"/i.test(text)) return false;
  const address = /\baddress\s*=\s*"([^"]*)"/i.exec(text)?.[1] ?? "";
  return !/^(?:127\.|::1$|localhost$)/.test(address);
}

function judgeListeners(statements: readonly RsyslogStatement[], device: Device): Outcome {
  const hit = statements.find(({ text }) => isListening(text));
  const expected = "no input for other hosts";
  const later = decide(
    hit === undefined,
    evidence(hit?.path ?? MAIN, expected, hit?.text ?? "none", "persistent"),
  );
  if (!device.isLive) return later;
  const sockets = device.sockets();
  if (sockets.state === "unreadable") return allOf([later, because("error", sockets.reason)]);
  const open = (sockets.state === "value" ? sockets.value.sockets : []).find(
    ({ localPort, localAddress, state, protocol }) =>
      localPort === SYSLOG_PORT &&
      state === (protocol === "tcp" ? 10 : 7) &&
      !/^(?:127\.|::1$)/.test(localAddress),
  );
  const found = open === undefined ? "closed" : `${open.protocol} on ${open.localAddress}`;
  const now = decide(
    open === undefined,
    evidence("listening sockets", `port ${SYSLOG_PORT} is closed`, found, "live"),
  );
  return allOf([now, later]);
}
