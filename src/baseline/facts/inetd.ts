import { type Device, oncePerDevice } from "../device.ts";
import { type Fact, MISSING, unreadableFact, valueFact } from "../fact.ts";
import { expandGlob } from "../glob.ts";
import { type ConfigLine, linesOf, withoutComments } from "./config-text.ts";

/** Services that inetd and xinetd start, by name, with the file that says so. */
export type InetdServices = ReadonlyMap<string, string>;

/** Source: inetd.conf(5): service, socket type, protocol, wait, user, program. */
function readInetd(lines: readonly ConfigLine[], into: Map<string, string>): string | undefined {
  for (const { text, path, number } of lines) {
    const fields = text.split(/\s+/);
    if (fields.length < 6) return `${path}, line ${number}: ${fields.length} of 6 fields`;
    // `address:service` binds it to one address.
    const [name = ""] = (fields[0] ?? "").split(":").slice(-1);
    into.set(name, path);
  }
  return undefined;
}

interface XinetdBlock {
  readonly name: string;
  readonly path: string;
  readonly values: ReadonlyMap<string, string>;
}

/** Source: xinetd.conf(5): `service NAME`, then `{`, `key = value` and `}`. */
function readBlocks(lines: readonly ConfigLine[], into: XinetdBlock[]): string | undefined {
  let name: string | undefined;
  let values: Map<string, string> | undefined;
  for (const { text, path, number } of lines) {
    const opening = /^(?:service\s+(\S+)|(defaults))\s*(\{?)$/.exec(text);
    if (opening !== null) {
      name = opening[1] ?? opening[2];
      values = opening[3] === "{" ? new Map() : undefined;
    } else if (text === "{" && name !== undefined) values = new Map();
    else if (text === "}" && name !== undefined && values !== undefined) {
      into.push({ name, path, values });
      name = undefined;
      values = undefined;
    } else if (values !== undefined) {
      const [, key, value] = /^(\w+)\s*[+-]?=\s*(.*)$/.exec(text) ?? [];
      if (key !== undefined) values.set(key, value ?? "");
    } else if (!/^include(?:dir)?\s/.test(text)) return `${path}, line ${number}: no service`;
  }
  return values === undefined ? undefined : "a service without a closing brace";
}

function words(value: string | undefined): readonly string[] {
  return (value ?? "").split(/\s+/).filter((word) => word !== "");
}

/** `disable` of a service, and the two lists of the defaults. Source: xinetd.conf(5). */
function keepEnabled(blocks: readonly XinetdBlock[], into: Map<string, string>): void {
  const defaults = blocks.find(({ name }) => name === "defaults")?.values;
  const enabled = words(defaults?.get("enabled"));
  const disabled = words(defaults?.get("disabled"));
  for (const { name, path, values } of blocks) {
    if (name === "defaults") continue;
    const names = [name, values.get("id") ?? name];
    if (values.get("disable")?.toLowerCase() === "yes") continue;
    if (names.some((one) => disabled.includes(one))) continue;
    if (enabled.length > 0 && !names.some((one) => enabled.includes(one))) continue;
    into.set(name, path);
  }
}

/** Xinetd leaves out names with a dot or a tilde at the end. Source: xinetd.conf(5), includedir. */
function isXinetdFile(path: string): boolean {
  return !/[.]|~$/.test(path.slice(path.lastIndexOf("/") + 1));
}

function linesOfAll(device: Device, patterns: readonly string[]): Fact<readonly ConfigLine[][]> {
  const files: ConfigLine[][] = [];
  for (const pattern of patterns) {
    const paths = expandGlob(device, pattern);
    if (paths.state === "unreadable") return paths;
    for (const path of paths.state === "value" ? paths.value : []) {
      if (pattern.includes("xinetd.d/") && !isXinetdFile(path)) continue;
      const text = device.text(path);
      if (text.state === "unreadable") return text;
      if (text.state === "value") files.push([...withoutComments(linesOf(path, text.value))]);
    }
  }
  return files.length === 0 ? MISSING : valueFact(files);
}

/** Services of both super-servers. Missing: neither has a configuration here. */
export const inetdServices = oncePerDevice((device): Fact<InetdServices> => {
  const services = new Map<string, string>();
  const inetd = linesOfAll(device, ["/etc/inetd.conf", "/etc/inetd.d/*"]);
  if (inetd.state === "unreadable") return inetd;
  for (const lines of inetd.state === "value" ? inetd.value : []) {
    const fault = readInetd(lines, services);
    if (fault !== undefined) return unreadableFact(fault);
  }
  const xinetd = linesOfAll(device, ["/etc/xinetd.conf", "/etc/xinetd.d/*"]);
  if (xinetd.state === "unreadable") return xinetd;
  const blocks: XinetdBlock[] = [];
  for (const lines of xinetd.state === "value" ? xinetd.value : []) {
    const fault = readBlocks(lines, blocks);
    if (fault !== undefined) return unreadableFact(fault);
  }
  keepEnabled(blocks, services);
  return inetd.state === "missing" && xinetd.state === "missing" ? MISSING : valueFact(services);
});
