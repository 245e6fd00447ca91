/** Programs that run beside the agents, where they are to be had: see benchmarks/install-peers.sh. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../benchmark.ts";
import { type Program, SCRAPE_SECONDS } from "./contract.ts";

const UNPACKED = `${ROOT}.cache/peers`;
const EXPORTER_PORT = 9_100;
const COLLECTD_SECONDS = 10;
const COLLECTD_PLUGINS = ["cpu", "df", "interface", "load", "memory", "processes", "csv"];

export interface NamedProgram {
  readonly name: string;
  readonly program: Program;
}

export const BARE_NODE: NamedProgram = {
  name: "bare Node",
  program: { command: [process.execPath, "-e", "setInterval(()=>{},1e9)"] },
};

/** The path of an installed or an unpacked program; undefined without either. */
export function peerPath(path: string): string | undefined {
  return [path, `${UNPACKED}${path}`].find((candidate) => existsSync(candidate));
}

/** The peers that are here; `folder` takes their configuration and data. */
export function peerPrograms(folder: string): readonly NamedProgram[] {
  return [...exporter(), ...collectd(folder)];
}

function exporter(): readonly NamedProgram[] {
  const path = peerPath("/usr/bin/prometheus-node-exporter");
  if (path === undefined) return [];
  const address = `127.0.0.1:${EXPORTER_PORT}`;
  return [
    {
      name: `node-exporter, asked every ${SCRAPE_SECONDS} s`,
      program: {
        command: [path, `--web.listen-address=${address}`],
        scrapeUrl: `http://${address}/metrics`,
      },
    },
  ];
}

function collectd(folder: string): readonly NamedProgram[] {
  const path = peerPath("/usr/sbin/collectd");
  if (path === undefined) return [];
  const base = path.slice(0, -"/usr/sbin/collectd".length);
  const data = join(folder, "collectd");
  mkdirSync(data, { recursive: true });
  const lines = [
    "FQDNLookup false",
    'Hostname "gateway"',
    `Interval ${COLLECTD_SECONDS}`,
    `BaseDir "${data}"`,
    `PIDFile "${data}/pid"`,
    `PluginDir "${base}/usr/lib/collectd"`,
    `TypesDB "${base}/usr/share/collectd/types.db"`,
    ...COLLECTD_PLUGINS.map((plugin) => `LoadPlugin ${plugin}`),
    `<Plugin csv>\n DataDir "${data}/csv"\n</Plugin>`,
  ];
  const config = join(data, "collectd.conf");
  writeFileSync(config, `${lines.join("\n")}\n`);
  return [
    {
      name: `collectd, ${COLLECTD_PLUGINS.length} plugins every ${COLLECTD_SECONDS} s`,
      program: { command: [path, "-f", "-C", config] },
    },
  ];
}
