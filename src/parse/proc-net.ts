import type { AddressFamily, SocketFacts } from "../contract/probe.ts";
import type { Problem } from "../contract/result.ts";
import { ipv4FromBytes, ipv6FromBytes } from "./addresses.ts";
import type { Endianness } from "./netlink-message.ts";

/** Most sockets taken from one table; a gateway has dozens. */
const MOST_SOCKETS = 100_000;
/** Most malformed lines quoted; the rest are counted. */
const MOST_PROBLEMS = 10;

const HEX_CHARACTERS = { ipv4: 8, ipv6: 32 } as const;
/** An address and a port as the kernel prints them: `0101007F:0035`. */
const ENDPOINT = /^([0-9A-Fa-f]+):([0-9A-Fa-f]{4})$/;

export interface ProcNetTable {
  readonly protocol: SocketFacts["protocol"];
  readonly family: AddressFamily;
  /** Byte order of the machine that wrote the text: addresses are words in host order. */
  readonly endianness: Endianness;
  /** Where the text came from, for problems: `/proc/net/tcp6`. */
  readonly subject: string;
}

export interface ProcNetSockets {
  readonly sockets: readonly SocketFacts[];
  /** The first ten lines that are not socket lines, each quoted; a table that was cut is one too. */
  readonly problems: readonly Problem[];
  /** All lines that are not socket lines. */
  readonly malformedLines: number;
}

/**
 * Reads the text of /proc/net/tcp, tcp6, udp or udp6, sockets in every state. A malformed line costs
 * only itself and is reported with its number and text. Bounded: 100,000 sockets.
 * `interfaceIndex` is 0: the table does not say. Source: proc_net(5); net/ipv4/tcp_ipv4.c, get_tcp4_sock.
 */
export function parseProcNet(text: string, table: ProcNetTable): ProcNetSockets {
  const sockets: SocketFacts[] = [];
  const problems: Problem[] = [];
  let malformedLines = 0;
  let lineNumber = 0;
  for (const line of linesOf(text)) {
    lineNumber += 1;
    if (line.trim() === "" || (lineNumber === 1 && line.trimStart().startsWith("sl"))) continue;
    if (sockets.length >= MOST_SOCKETS) {
      problems.push(
        problem("too-large", table, `more than ${MOST_SOCKETS} sockets; the rest is cut`),
      );
      break;
    }
    const socket = parseLine(line, table);
    if (socket !== undefined) {
      sockets.push(socket);
      continue;
    }
    malformedLines += 1;
    if (malformedLines <= MOST_PROBLEMS) {
      const quoted = line.trim().slice(0, 200);
      problems.push(problem("malformed", table, `line ${lineNumber} is no socket: ${quoted}`));
    }
  }
  return { sockets, problems, malformedLines };
}

/** Lines without building the whole array: a hostile file may be all newlines. */
function* linesOf(text: string): Generator<string> {
  let start = 0;
  while (start < text.length) {
    const end = text.indexOf("\n", start);
    yield text.slice(start, end === -1 ? undefined : end);
    if (end === -1) return;
    start = end + 1;
  }
}

function problem(code: Problem["code"], table: ProcNetTable, detail: string): Problem {
  return { code, subject: table.subject, detail: detail.slice(0, 300) };
}

/** `sl local rem st queues timer retrnsmt uid timeout inode …`; udp has the same columns up to inode. */
function parseLine(line: string, table: ProcNetTable): SocketFacts | undefined {
  const columns = line.trim().split(/\s+/, 10);
  const [slot, local, remote, stateHex, , , , user, , inodeText] = columns;
  if (columns.length < 10 || slot === undefined || !/^\d+:$/.test(slot)) return undefined;
  const localEnd = parseEndpoint(local, table);
  const remoteEnd = parseEndpoint(remote, table);
  const state = parseNumber(stateHex, /^[0-9A-Fa-f]{2}$/, 16);
  const userId = parseNumber(user, /^\d{1,10}$/, 10);
  const inode = parseNumber(inodeText, /^\d{1,15}$/, 10);
  if (localEnd === undefined || remoteEnd === undefined) return undefined;
  if (state === undefined || userId === undefined || inode === undefined) return undefined;
  return {
    protocol: table.protocol,
    family: table.family,
    state,
    localAddress: localEnd.address,
    localPort: localEnd.port,
    remoteAddress: remoteEnd.address,
    remotePort: remoteEnd.port,
    userId,
    inode,
    interfaceIndex: 0,
  };
}

function parseNumber(text: string | undefined, form: RegExp, radix: 10 | 16): number | undefined {
  return text !== undefined && form.test(text) ? Number.parseInt(text, radix) : undefined;
}

interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Each 32-bit word of an address is printed as a number in host order; the port is a plain number. */
function parseEndpoint(text: string | undefined, table: ProcNetTable): Endpoint | undefined {
  const [, hex = "", portHex = ""] = ENDPOINT.exec(text ?? "") ?? [];
  if (hex.length !== HEX_CHARACTERS[table.family]) return undefined;
  const bytes = new Uint8Array(hex.length / 2);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += 4) {
    const word = Number.parseInt(hex.slice(at * 2, at * 2 + 8), 16);
    view.setUint32(at, word, table.endianness === "LE");
  }
  const address = table.family === "ipv4" ? ipv4FromBytes(bytes) : ipv6FromBytes(bytes);
  return { address, port: Number.parseInt(portHex, 16) };
}
