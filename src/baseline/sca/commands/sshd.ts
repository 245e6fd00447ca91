import type { Device } from "../../device.ts";
import { packages } from "../../facts/packages.ts";
import { type SshdConfig, sshdConfig } from "../../facts/sshd-config.ts";
import { secondsText } from "../../primitives/sshd.ts";
import { fitsWildcard } from "../pattern/wildcard.ts";
import {
  type CommandOutput,
  complained,
  needsRunningDevice,
  notKnown,
  partlyPrinted,
  unreadable,
} from "./output.ts";
import { SSHD_DEFAULTS, sshdAlgorithms } from "./sshd-defaults.ts";

/** Older names of keys. Source: OpenSSH servconf.c, keywords. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["challengeresponseauthentication", "kbdinteractiveauthentication"],
  ["skeyauthentication", "kbdinteractiveauthentication"],
  ["dsaauthentication", "pubkeyauthentication"],
  ["pubkeyacceptedkeytypes", "pubkeyacceptedalgorithms"],
  ["hostbasedacceptedkeytypes", "hostbasedacceptedalgorithms"],
  ["hostdsakey", "hostkey"],
  ["keepalive", "tcpkeepalive"],
]);

/** Keys of which each word has a line of its own. */
const ONE_BY_ONE = new Set([
  "port",
  "listenaddress",
  "hostkey",
  "acceptenv",
  "allowusers",
  "denyusers",
  "allowgroups",
  "denygroups",
]);
const SECONDS = new Set(["logingracetime", "clientaliveinterval"]);
const ALGORITHMS = new Set([
  "ciphers",
  "macs",
  "kexalgorithms",
  "hostkeyalgorithms",
  "pubkeyacceptedalgorithms",
  "hostbasedacceptedalgorithms",
  "casignaturealgorithms",
]);
const HOST_KEYS = [
  "/etc/ssh/ssh_host_rsa_key",
  "/etc/ssh/ssh_host_ecdsa_key",
  "/etc/ssh/ssh_host_ed25519_key",
];

/** Version of the server as a number, such as 902 for 9.2; undefined: not known. */
function sshdVersion(device: Device): number | undefined {
  const list = packages(device);
  if (list.state !== "value") return undefined;
  const names = ["openssh-server", "openssh", "openssh-sftp-server"];
  const version = names
    .map((name) => list.value.versions.get(name))
    .find((one) => one !== undefined);
  const [, major, minor] = /^(?:\d+:)?(\d{1,2})\.(\d{1,2})/.exec(version ?? "") ?? [];
  return major === undefined ? undefined : Number(major) * 100 + Number(minor);
}

/** `+`, `-` and `^` change the list that is built in. Undefined: that list is not known. */
function algorithms(value: string, builtIn: string | undefined): string | undefined {
  const sign = value.charAt(0);
  if (!"+-^".includes(sign)) return value;
  if (builtIn === undefined) return undefined;
  const given = value.slice(1).split(",");
  if (sign === "+")
    return [
      ...builtIn.split(","),
      ...given.filter((one) => !builtIn.split(",").includes(one)),
    ].join(",");
  if (sign === "-")
    return builtIn
      .split(",")
      .filter((one) => !given.some((pattern) => fitsWildcard(pattern, one)))
      .join(",");
  return [...given, ...builtIn.split(",").filter((one) => !given.includes(one))].join(",");
}

/** The value as sshd prints it. */
function shown(key: string, value: string, builtIn: string | undefined): string | undefined {
  const lower = value.toLowerCase();
  if (SECONDS.has(key)) return lower === "none" ? "0" : secondsText(value);
  if (ALGORITHMS.has(key)) return algorithms(value, builtIn);
  if (key === "permitrootlogin" && lower === "prohibit-password") return "without-password";
  if (key === "loglevel" || key === "syslogfacility") return value.toUpperCase();
  if (key === "maxstartups" && /^\d+$/.test(value)) return `${value}:100:${value}`;
  if (key === "compression" && lower === "delayed") return "yes";
  if (key === "subsystem") return value.replace(/\s+/g, " ");
  return /^(?:yes|no|none|true|false)$/.test(lower)
    ? lower.replace("true", "yes").replace("false", "no")
    : value;
}

function effectiveLines(
  config: SshdConfig,
  version: number | undefined,
  device: Device,
): readonly string[] {
  const builtIn = sshdAlgorithms(version);
  const given = new Map<string, string>();
  for (const [name, { value }] of config.values) {
    const key = ALIASES.get(name) ?? name;
    if (!given.has(key)) given.set(key, value);
  }
  const values = new Map([...SSHD_DEFAULTS, ...builtIn]);
  values.set("hostkey", HOST_KEYS.filter((path) => device.facts(path).state === "value").join(" "));
  for (const [key, value] of given) {
    const text = shown(key, value, builtIn.get(key));
    if (text === undefined) values.delete(key);
    else values.set(key, text);
  }
  const ports = (values.get("port") ?? "22").split(" ");
  if (!given.has("listenaddress"))
    values.set(
      "listenaddress",
      ports.flatMap((port) => [`[::]:${port}`, `0.0.0.0:${port}`]).join(" "),
    );
  return [...values].flatMap(([key, value]) => {
    if (value === "") return [];
    return ONE_BY_ONE.has(key)
      ? value.split(/\s+/).map((word) => `${key} ${word}`)
      : [`${key} ${value}`];
  });
}

/** sshd -T: the configuration in force for connections that no Match block is about. Source: sshd(8). */
export function sshdCommand(args: readonly string[], device: Device): CommandOutput {
  if (args.join(" ") !== "-T")
    return notKnown(`sshd ${args.join(" ")}: a form that is not known here`);
  const config = sshdConfig(device);
  if (config.state === "unreadable") return unreadable(config.reason);
  if (config.state === "missing") return notKnown("the server has no configuration");
  const version = sshdVersion(device);
  // Ubuntu and Debian make the folder when the service starts.
  if (
    device.facts("/run/sshd").state === "missing" &&
    device.facts("/usr/lib/systemd/system/ssh.service").state !== "missing"
  ) {
    if (!device.isLive) return needsRunningDevice("sshd -T");
    return complained("Missing privilege separation directory: /run/sshd");
  }
  const lines = effectiveLines(config.value, version, device);
  if (!lines.some((line) => line.startsWith("hostkey ")))
    return complained("sshd: no hostkeys available -- exiting.");
  const known = lines.map((line) => line.slice(0, line.indexOf(" ")));
  return partlyPrinted(lines, [...known, "allowusers", "denyusers", "allowgroups", "denygroups"]);
}
