import { type Device, oncePerDevice } from "../device.ts";
import { type Fact, MISSING, valueFact } from "../fact.ts";

/** Most processes that are looked at. */
const MOST_PROCESSES = 20_000;

/** Numbers of the processes that run now, ascending. Missing on a root that does not run. */
export const processIds = oncePerDevice((device): Fact<readonly number[]> => {
  const names = device.folder("/proc");
  if (names.state !== "value") return names;
  const ids = names.value.filter((name) => /^\d{1,9}$/.test(name)).map(Number);
  if (ids.length === 0) return MISSING;
  return valueFact(ids.sort((a, b) => a - b).slice(0, MOST_PROCESSES));
});

/** The name of a process and its effective user; undefined when it is gone. Source: proc_pid_status(5). */
export function nameAndUser(
  device: Device,
  processId: number,
): { readonly name: string; readonly userId: number } | undefined {
  const status = device.text(`/proc/${processId}/status`);
  if (status.state !== "value") return undefined;
  const name = /^Name:\t(.*)$/m.exec(status.value)?.[1];
  const userId = /^Uid:\t\d+\t(\d+)/m.exec(status.value)?.[1];
  return name === undefined || userId === undefined ? undefined : { name, userId: Number(userId) };
}
