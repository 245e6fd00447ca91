import { type Device, oncePerDevice } from "../device.ts";
import { type Fact, MISSING, valueFact } from "../fact.ts";

/** A running process, as far as files without NUL bytes tell. Source: proc_pid_status(5). */
export interface ScaProcess {
  readonly processId: number;
  readonly parentId: number;
  /** Effective user id. */
  readonly userId: number;
  /** At most 15 bytes. */
  readonly command: string;
  /** Program; absent for kernel threads. */
  readonly path?: string;
}

/** Processes now. Missing on an offline root. */
export const processNames = oncePerDevice((device: Device): Fact<readonly ScaProcess[]> => {
  if (!device.isLive) return MISSING;
  const entries = device.folder("/proc");
  if (entries.state !== "value") return entries;
  return valueFact(
    entries.value.flatMap((name): readonly ScaProcess[] => {
      if (!/^\d+$/.test(name)) return [];
      const status = device.text(`/proc/${name}/status`);
      // It may have ended since the folder was read.
      if (status.state !== "value") return [];
      const field = (key: string): string =>
        new RegExp(`^${key}:\\s*(.*)$`, "m").exec(status.value)?.[1] ?? "";
      const link = device.link(`/proc/${name}/exe`);
      return [
        {
          processId: Number(name),
          parentId: Number(field("PPid")),
          userId: Number(field("Uid").split(/\s+/)[1]),
          command: field("Name"),
          ...(link.state === "value" ? { path: link.value.replace(/ \(deleted\)$/, "") } : {}),
        },
      ];
    }),
  );
});
