import type { AddressRange, NumberRange } from "../../contract/firewall.ts";
import type { AddressFamily } from "../../contract/probe.ts";
import { fail, ok, type Result } from "../../contract/result.ts";
import { ALLOWED_PORT_FORM } from "../../contract/settings.ts";
import { addressNumber } from "../../parse/address-number.ts";
import { addressFamily } from "../../parse/addresses.ts";
import { plainText } from "../../parse/plain-text.ts";
import { boundAddress, type ListeningSocket } from "./listening-socket.ts";

/** Ports that are meant to be open. What is absent may be anything. */
export interface AllowedPort {
  readonly protocol?: "tcp" | "udp";
  readonly ports: NumberRange;
  /** Addresses that the socket may be bound to; a socket bound to all addresses is not in any range. */
  readonly addresses?: { readonly family: AddressFamily; readonly range: AddressRange };
  /** Full path of the program, or with no `/` the name of the process. An unknown owner is not allowed. */
  readonly program?: string;
}

/** Longest entry of the list, UTF-16 units. */
const LONGEST_ENTRY = 512;

/**
 * An entry of the list of allowed ports: `22`, `tcp/22`, `udp/32768-60999`, `tcp/22@192.0.2.0/24`,
 * `tcp/443 /usr/sbin/nginx`, `tcp/443 nginx`. Error: `malformed`, with the form expected.
 */
export function parseAllowedPort(text: string): Result<AllowedPort> {
  const found = text.length > LONGEST_ENTRY ? null : ALLOWED_PORT_FORM.exec(text.trim());
  const [, protocol, first = "", last = first, address, prefix, program] = found ?? [];
  const ports = { from: Number(first), to: Number(last) };
  const addresses = address === undefined ? undefined : networkOf(address, prefix);
  const isRight = ports.from >= 1 && ports.to >= ports.from && ports.to <= 65_535;
  if (found === null || !isRight || (address !== undefined && addresses === undefined)) {
    const form = "[tcp/|udp/]port[-port][@address[/prefix]][ program]";
    return fail("malformed", "allowed port", `"${plainText(text, 80)}" is not of the form ${form}`);
  }
  return ok({
    ports,
    ...(protocol === "tcp" || protocol === "udp" ? { protocol } : {}),
    ...(addresses === undefined ? {} : { addresses }),
    ...(program === undefined ? {} : { program: program.trim() }),
  });
}

function networkOf(address: string, prefix: string | undefined): AllowedPort["addresses"] {
  const family = addressFamily(address);
  const number = addressNumber(address);
  if (family === undefined || number === undefined) return undefined;
  const bits = family === "ipv4" ? 32 : 128;
  const length = prefix === undefined ? bits : Number(prefix);
  if (length > bits) return undefined;
  const hosts = BigInt(bits - length);
  const from = (number >> hosts) << hosts;
  return { family, range: { from, to: from + (1n << hosts) - 1n } };
}

/** Whether an entry of the list stands for the socket. */
export function isAllowed(one: ListeningSocket, list: readonly AllowedPort[]): boolean {
  return list.some((entry) => stands(entry, one));
}

function stands(entry: AllowedPort, { socket, process }: ListeningSocket): boolean {
  const { protocol = socket.protocol, ports, addresses, program } = entry;
  if (protocol !== socket.protocol) return false;
  if (socket.localPort < ports.from || socket.localPort > ports.to) return false;
  if (addresses !== undefined && !isWithin(boundAddress(socket), addresses)) return false;
  if (program === undefined) return true;
  return program === (program.includes("/") ? process?.executable : process?.name);
}

function isWithin(
  address: string,
  { family, range }: NonNullable<AllowedPort["addresses"]>,
): boolean {
  const number = addressNumber(address);
  if (number === undefined || addressFamily(address) !== family) return false;
  return number >= range.from && number <= range.to;
}
