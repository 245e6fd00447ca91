import type { Probe } from "../../src/contract/probe.ts";
import { parsePasswd } from "../../src/parse/accounts.ts";
import { plainText, singleValue } from "../../src/parse/plain-text.ts";

/** Names by user id; the first of several wins, as getpwuid(3) does. Without passwd: no names. */
export function userNamesOf(probe: Probe): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  const passwd = probe.readText("/etc/passwd");
  for (const { userId, name } of passwd.ok ? parsePasswd(passwd.value).entries : []) {
    if (!names.has(userId)) names.set(userId, plainText(name, 64));
  }
  return names;
}

/** Names of network interfaces by index. Source: sysfs, Documentation/ABI/testing/sysfs-class-net. */
export function interfaceNamesOf(probe: Probe): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  const folder = probe.listFolder("/sys/class/net");
  for (const name of folder.ok ? folder.value : []) {
    const index = probe.readText(`/sys/class/net/${name}/ifindex`, 64);
    const number = index.ok ? Number(singleValue(index.value)) : 0;
    if (number > 0) names.set(number, plainText(name, 64));
  }
  return names;
}
