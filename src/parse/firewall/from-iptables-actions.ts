import type { AddressRange, NumberRange, RuleAction } from "../../contract/firewall.ts";
import type { AddressFamily } from "../../contract/probe.ts";
import type { IptablesOption, IptablesTarget } from "../iptables-save/model.ts";
import { printIptablesTarget } from "../iptables-save/print-iptables-save.ts";
import { addressRange, markText, portRange } from "./from-iptables-values.ts";

/** Where a target stands: some do different things in different places. */
export interface TargetPlace {
  readonly family: AddressFamily;
  /** The chain of the rule; a target of a user chain does not know which hook it serves. */
  readonly chain: string;
  readonly userChains: ReadonlySet<string>;
}

/** Targets after which the next rule is asked, and that change nothing a rule can ask here. Source: iptables-extensions(8). */
const CONTINUING = new Set([
  ...["LOG", "NFLOG", "ULOG", "TRACE", "AUDIT", "SECMARK", "CONNSECMARK", "CLASSIFY", "TCPMSS"],
  ...["TCPOPTSTRIP", "TOS", "DSCP", "ECN", "TTL", "HL", "CHECKSUM", "IDLETIMER", "LED", "RATEEST"],
  ...["SET", "TEE", "SNPT"],
]);
const VERDICTS: ReadonlyMap<string, RuleAction> = new Map<string, RuleAction>([
  ["ACCEPT", { kind: "accept" }],
  ["DROP", { kind: "drop" }],
  ["RETURN", { kind: "return" }],
]);
const ALL_BITS = 0xffff_ffff;
const CONNMARK_SETTERS = new Set([
  ...["--save-mark", "--set-mark", "--set-xmark", "--and-mark", "--or-mark", "--xor-mark"],
  ...["--nfmask", "--ctmask", "--mask"],
]);

const CONNMARK_RESTORERS = new Set(["--restore-mark", "--nfmask", "--ctmask", "--mask"]);

/** What a rule does. Unknown targets are `other`: they may end the packet's way or not. */
export function iptablesAction(target: IptablesTarget, place: TargetPlace): RuleAction {
  if (target.kind === "none") return { kind: "continue" };
  const { name, options } = target;
  // The order in which the names are looked up. Source: libiptc.c, iptcc_map_target.
  const verdict = VERDICTS.get(name);
  if (verdict !== undefined) return verdict;
  if (place.userChains.has(name)) return { kind: target.kind, chain: name };
  return (
    builtInAction(name, options, place) ?? {
      kind: "other",
      name,
      text: printIptablesTarget(target),
    }
  );
}

function builtInAction(
  name: string,
  options: readonly IptablesOption[],
  place: TargetPlace,
): RuleAction | undefined {
  if (CONTINUING.has(name)) return { kind: "continue" };
  switch (name) {
    case "REJECT":
      return { kind: "reject" };
    case "NOTRACK":
      return { kind: "untrack" };
    case "CT":
      return { kind: options.some((each) => each.name === "--notrack") ? "untrack" : "continue" };
    case "SNAT":
    case "MASQUERADE":
      return { kind: "source-nat" };
    case "NETMAP":
      return isSourceSide(place.chain) ? { kind: "source-nat" } : undefined;
    case "DNAT":
      return destinationNat(options, place.family);
    case "REDIRECT":
      return redirect(options);
    case "MARK":
      return setMark(options);
    case "CONNMARK":
      return connectionMark(options);
    default:
      return undefined;
  }
}

function isSourceSide(chain: string): boolean {
  return chain === "POSTROUTING" || chain === "INPUT";
}

function onlyValue(options: readonly IptablesOption[], name: string): string | undefined {
  const found = options.filter((option) => option.name === name);
  return found.length === 1 && found[0]?.values.length === 1 ? found[0].values[0] : undefined;
}

/** `--to-destination 10.0.0.1-10.0.0.9:80-90/8080`, `[fd00::1]:80`, `fd00::1`, `:80`; each part may miss. */
function destinationNat(
  options: readonly IptablesOption[],
  family: AddressFamily,
): RuleAction | undefined {
  const text = onlyValue(options, "--to-destination");
  if (text === undefined) return undefined;
  const [addressText, portText] = splitDestination(text, family);
  const addresses = addressText === "" ? undefined : addressRange(addressText, family);
  const ports = portText === undefined ? undefined : natPorts(portText);
  if (addressText !== "" && addresses === undefined) return undefined;
  if (portText !== undefined && ports === undefined) return undefined;
  return destinationNatOf(addresses, ports, false);
}

function splitDestination(text: string, family: AddressFamily): readonly [string, string?] {
  if (family === "ipv6") {
    const bracketed = /^\[([^\]]*)\](?:-\[([^\]]*)\])?(?::(.*))?$/.exec(text);
    if (bracketed === null)
      return text.startsWith(":") && /^:[\d/-]+$/.test(text) ? ["", text.slice(1)] : [text];
    const [, first = "", last, ports] = bracketed;
    const addresses = last === undefined ? first : `${first}-${last}`;
    return ports === undefined ? [addresses] : [addresses, ports];
  }
  const colon = text.indexOf(":");
  return colon === -1 ? [text] : [text.slice(0, colon), text.slice(colon + 1)];
}

/** `80`, `80-90`, and `80-90/8080`, where the base port only says which of the range is taken. */
function natPorts(text: string): NumberRange | undefined {
  const [range = "", base, ...more] = text.split("/");
  if (more.length > 0 || (base !== undefined && portRange(base, "-") === undefined))
    return undefined;
  return portRange(range, "-");
}

function redirect(options: readonly IptablesOption[]): RuleAction | undefined {
  if (!options.some((option) => option.name === "--to-ports")) {
    return destinationNatOf(undefined, undefined, true);
  }
  const text = onlyValue(options, "--to-ports");
  const ports = text === undefined ? undefined : natPorts(text);
  return ports === undefined ? undefined : destinationNatOf(undefined, ports, true);
}

function destinationNatOf(
  addresses: AddressRange | undefined,
  ports: NumberRange | undefined,
  isRedirect: boolean,
): RuleAction {
  return {
    kind: "destination-nat",
    ...(addresses === undefined ? {} : { addresses }),
    ...(ports === undefined ? {} : { ports }),
    isRedirect,
  };
}

/** Source: iptables-extensions(8), MARK; xt_mark.c, mark_tg. */
function setMark(options: readonly IptablesOption[]): RuleAction | undefined {
  const [option, ...more] = options;
  const [text, ...moreValues] = option?.values ?? [];
  const mark = text === undefined ? undefined : markText(text);
  if (mark === undefined || more.length > 0 || moreValues.length > 0) return undefined;
  const { value, mask } = mark;
  switch (option?.name) {
    case "--set-xmark":
      return { kind: "set-mark", value, mask };
    case "--set-mark":
      return { kind: "set-mark", value, mask: (mask | value) >>> 0 };
    case "--and-mark":
      return { kind: "set-mark", value: 0, mask: (value ^ ALL_BITS) >>> 0 };
    case "--or-mark":
      return { kind: "set-mark", value, mask: value };
    case "--xor-mark":
      return { kind: "set-mark", value, mask: 0 };
    default:
      return undefined;
  }
}

/**
 * The mark of a new connection is 0, so taking the packet's mark from it clears the bits of the mask; what
 * rules do to the connection's own mark is not followed. Source: xt_connmark.c, connmark_tg_shift.
 */
function connectionMark(options: readonly IptablesOption[]): RuleAction | undefined {
  if (!options.some((option) => option.name === "--restore-mark")) {
    return options.every((option) => CONNMARK_SETTERS.has(option.name))
      ? { kind: "continue" }
      : undefined;
  }
  if (!options.every((option) => CONNMARK_RESTORERS.has(option.name))) return undefined;
  const text = onlyValue(options, "--nfmask") ?? onlyValue(options, "--mask");
  const mask = text === undefined ? ALL_BITS : markText(text)?.value;
  return mask === undefined ? undefined : { kind: "set-mark", value: 0, mask };
}
