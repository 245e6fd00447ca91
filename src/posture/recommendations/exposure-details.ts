import type { AddressFamily } from "../../contract/probe.ts";
import type { Exposure, ExposurePiece } from "../exposure/query.ts";
import { rangeSet, subtract } from "../exposure/range-set.ts";
import type { DeviceInterface, DeviceInterfaces } from "./device-interfaces.ts";
import type { ListeningSocket } from "./listening-socket.ts";
import { addressesText } from "./range-text.ts";

/**
 * Who can reach a socket. `loopback`: this device alone. `container`: containers of this device. `blocked`:
 * nobody, because of the firewall. `reachable`: hosts of the network.
 */
export type ExposureKind = "reachable" | "unknown" | "container" | "blocked" | "loopback";

/** A socket with who can reach it, and why. */
export interface SocketExposure {
  readonly listener: ListeningSocket;
  readonly kind: ExposureKind;
  /** Interfaces that it can be reached by; for `unknown` perhaps. */
  readonly interfaces: readonly string[];
  /** Who may reach it: `any`, or networks. */
  readonly sources?: string;
  /** Where packets end that NAT sends elsewhere. */
  readonly arrivesAt?: string;
  /** The rule that decides, or that cannot be decided, with its chain. */
  readonly rule?: string;
  /** Why, where no rule says it. */
  readonly reason?: string;
}

/** A way in, with the firewall's answer. */
export interface Answer {
  readonly from: DeviceInterface | undefined;
  readonly family: AddressFamily;
  /** The same for the same question. */
  readonly key: string;
  /** Undefined: not asked, there were too many questions. */
  readonly exposure: Exposure | undefined;
}

/** What is kept while many answers are put in words. */
export interface TextMemory {
  readonly device: DeviceInterfaces;
  readonly sourcesTexts: Map<string, string>;
}

type Details = Omit<SocketExposure, "listener" | "kind">;

/** What the answers of one verdict have in common to tell. */
export function detailsOf(
  answers: readonly Answer[],
  verdict: Exposure["verdict"],
  memory: TextMemory,
): Details {
  const pieces = answers.flatMap(({ exposure, family }) =>
    (exposure?.pieces ?? [])
      .filter((piece) => piece.verdict === verdict)
      .map((piece) => ({ piece, family })),
  );
  const [first] = pieces;
  const isUnseen = verdict === "unknown" && first?.piece.doubts.length === 0;
  const rule = first === undefined || isUnseen ? undefined : ruleText(first.piece);
  const reason = isUnseen
    ? "rules that could not be read may block it"
    : "no rule of a firewall speaks of it";
  const arrivesAt = pieces.find(({ piece }) => piece.arrivesAt !== undefined)?.piece.arrivesAt;
  return {
    interfaces: namesOf(answers),
    ...(verdict === "deny" ? {} : { sources: sourcesOnce(pieces, answers, verdict, memory) }),
    ...(arrivesAt === undefined
      ? {}
      : { arrivesAt: `${arrivesAt.address ?? "this device"} port ${arrivesAt.port}` }),
    ...(rule === undefined ? { reason } : { rule }),
  };
}

/** Names of the interfaces, each once. */
export function namesOf(answers: readonly Pick<Answer, "from">[]): readonly string[] {
  return [...new Set(answers.flatMap(({ from }) => (from === undefined ? [] : [from.name])))];
}

function ruleText({ rules, doubts }: ExposurePiece): string | undefined {
  const decisive = doubts.at(-1) ?? rules.at(-1);
  return decisive === undefined ? undefined : `${decisive.chain}: ${decisive.text}`;
}

type Piece = { readonly piece: ExposurePiece; readonly family: AddressFamily };

/** Thousands of sockets share few answers, and an answer may have thousands of ranges. */
function sourcesOnce(
  pieces: readonly Piece[],
  answers: readonly Answer[],
  verdict: Exposure["verdict"],
  { sourcesTexts, device }: TextMemory,
): string {
  const key = `${verdict} ${answers.map((answer) => answer.key).join("|")}`;
  const known = sourcesTexts.get(key);
  if (known !== undefined) return known;
  const text = sourcesText(pieces, device);
  sourcesTexts.set(key, text);
  return text;
}

function sourcesText(pieces: readonly Piece[], device: DeviceInterfaces): string {
  const texts = (["ipv4", "ipv6"] as const).flatMap((family) => {
    const own = pieces.filter((one) => one.family === family);
    if (own.length === 0) return [];
    const all = rangeSet(own.flatMap(({ piece }) => piece.sources));
    const isAny = subtract(device.strangers(family), all).length === 0;
    return [isAny ? `any ${family}` : (addressesText(family, all) ?? `any ${family}`)];
  });
  return texts.length === 2 && texts.every((text) => text.startsWith("any"))
    ? "any"
    : texts.join(",");
}
