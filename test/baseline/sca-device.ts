/** Devices in memory on which emulated commands are tried. */
import { createDevice, type Device } from "../../src/baseline/device.ts";
import { valueFact } from "../../src/baseline/fact.ts";
import { commandOutput } from "../../src/baseline/sca/commands/run.ts";
import type { Firewall } from "../../src/contract/firewall.ts";
import { type MemoryRootOptions, memoryRoot, type RootFiles } from "./memory-root.ts";

const PROGRAM = { mode: 0o755 } as const;

/** A root with the programs that commands begin with. */
export function device(
  programs: string,
  files: RootFiles = {},
  options: MemoryRootOptions & { firewall?: Firewall } = {},
): Device {
  const all = Object.fromEntries(programs.split(" ").map((name) => [`/usr/bin/${name}`, PROGRAM]));
  const { firewall, ...rest } = options;
  return createDevice(
    memoryRoot({ ...all, ...files }, rest),
    0,
    firewall === undefined ? {} : { firewall: valueFact(firewall) },
  );
}

/** Both streams of a command, or why there is none. */
export function output(command: string, on: Device): string {
  const out = commandOutput(command, on);
  return out.state === "output" ? `${out.errors ?? ""}${out.text}` : `${out.state}`;
}

/** One nftables table. */
export const FIREWALL: Firewall = {
  isComplete: true,
  tables: [
    {
      backend: "nftables",
      family: "inet",
      name: "t",
      isDormant: false,
      chains: [
        {
          name: "in",
          base: { hook: "input", priority: 0, type: "filter", policy: "drop", devices: [] },
          rules: [{ conditions: [], action: { kind: "accept" }, text: 'meta iif "lo" accept' }],
        },
      ],
    },
  ],
};
