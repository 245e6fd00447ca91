import { resolve } from "node:path";
import { AgentError } from "../contract/errors.ts";
import { readResourceId } from "../fleet/azure/resource-id.ts";
import { createRecordDesk, type RecordDesk } from "../fleet/record-desk.ts";
import { DEFAULT_MAX_ADDRESSES } from "../posture/hub/catalogue.ts";
import { systemClock } from "../system/clock.ts";
import { createKeyedDigest } from "../system/keyed-digest.ts";
import { readSecret } from "../system/secrets.ts";
import { type Command, type ParsedArguments, parseArguments, wholeNumber } from "./command.ts";
import { hubReportOf } from "./hub-posture-view.ts";
import { deliverReport, REPORT_OPTIONS, reportChoice } from "./report-output.ts";
import { type NamedFile, namedFiles, readFiles } from "./saved-records.ts";
import type { Terminal } from "./terminal.ts";
import { VERSION } from "./version.ts";

const HELP = `Usage: gatewarden hub-posture [--hub FILE] [--identities FILE] [--twins FILE] [--logs FILE]
                              [--input FOLDER] [FILE…] [OPTIONS]
       gatewarden hub-posture --live --resource-id ID [OPTIONS]

Judges the settings of an IoT hub and its fleet by the nine official recommendations that only data of the hub
decides: shared credentials, IP filter, TLS version, and the deployments of IoT Edge. It changes nothing. What
is not given is reported as unknown, with how to get it.

Saved files, as JSON, in lists, in lines or one object after the other; options may be given several times:
  --hub FILE         resource of the hub: az iot hub show, or a GET of Azure Resource Manager
  --identities FILE  identities: the export job's devices.txt, or a list of the registry
  --twins FILE       twins of $edgeAgent, $edgeHub and of devices (for tags.SecurityGroup)
  --logs FILE        diagnostic records of the category Connections
  --input FOLDER     every .json, .jsonl, .ndjson, .txt and .log in it; what it holds is seen by its content
  FILE…              the same, one by one

Live, with the identity that the environment has (az login, a managed identity, AZURE_… variables):
  --live                        ask Azure Resource Manager and the hub
  --resource-id ID              /subscriptions/…/resourceGroups/…/providers/Microsoft.Devices/IotHubs/NAME
  --connection-string-file F    ask the hub with a service policy instead; F is a file of your own (0600)
  --with-keys                   read identities with their keys too, at most 1000; needs the right to read keys

Keys are compared as hashes under a secret of this run; they are never kept, logged or printed.

  --max-addresses N  most addresses of an accept rule, default ${DEFAULT_MAX_ADDRESSES}
  --format FORM      table (the default), json, sarif, html or markdown; without it, by the name after -o
  -o, --output F     write the report to a file that only you can read, and the summary here
  --fail-on LEVEL    exit code 5 from this level on: high, medium (the default), low, informational or none
  --strict           what could not be judged counts as wrong

Exit code 0 when nothing is wrong at the level of --fail-on or above, 5 otherwise.`;

const OPTIONS = {
  ...REPORT_OPTIONS,
  hub: { type: "string", multiple: true },
  identities: { type: "string", multiple: true },
  twins: { type: "string", multiple: true },
  logs: { type: "string", multiple: true },
  input: { type: "string", multiple: true },
  live: { type: "boolean", default: false },
  "resource-id": { type: "string" },
  "connection-string-file": { type: "string" },
  "with-keys": { type: "boolean", default: false },
  "max-addresses": { type: "string" },
} as const;

const MOST_FILES = 10_000;

/** `gatewarden hub-posture`. */
export const hubPostureCommand: Command = {
  help: HELP,
  async run(args, { terminal }) {
    const usageOf = { command: "hub-posture", positionals: MOST_FILES };
    const parsed = parseArguments(args, OPTIONS, usageOf);
    const choice = reportChoice(parsed);
    const isLive = parsed.flag("live");
    const maxAddresses = wholeNumber(parsed.text("max-addresses"), "max-addresses", {
      min: 1,
      max: 4_294_967_296,
      fallback: DEFAULT_MAX_ADDRESSES,
    });
    const files = await filesOf(parsed);
    checkLiveOptions(parsed, isLive, files.length);
    const startMs = systemClock.monotonicMs();
    const at = new Date(systemClock.nowMs()).toISOString();
    const desk = createRecordDesk(createKeyedDigest());
    await readFiles(files, desk);
    const gaps = isLive ? await readAzure(parsed, desk, terminal) : [];
    const durationMs = Math.round(systemClock.monotonicMs() - startMs);
    const made = { version: VERSION, at, durationMs, isLive, maxAddresses };
    return deliverReport(hubReportOf(desk, gaps, made), choice, terminal);
  },
};

function filesOf(parsed: ParsedArguments): Promise<readonly NamedFile[]> {
  return namedFiles({
    hub: parsed.texts("hub"),
    identity: parsed.texts("identities"),
    twin: parsed.texts("twins"),
    log: parsed.texts("logs"),
    folders: parsed.texts("input"),
    files: parsed.positionals,
  });
}

function checkLiveOptions(parsed: ParsedArguments, isLive: boolean, fileCount: number): void {
  if (!isLive) {
    const given = ["resource-id", "connection-string-file"].find(
      (name) => parsed.text(name) !== undefined,
    );
    const alone = given ?? (parsed.flag("with-keys") ? "with-keys" : undefined);
    if (alone !== undefined) throw usage(`--${alone} is of use with --live only`, "Add --live.");
    if (fileCount === 0) {
      throw usage("there is nothing to judge", "Name saved files or a folder, or give --live.");
    }
  } else if (parsed.text("resource-id") === undefined) {
    const remedy = "az iot hub show -n NAME --query id -o tsv";
    throw usage("--live without --resource-id", `Give the resource id of the hub: ${remedy}`);
  }
}

/** Asks Azure; its packages are loaded only here. Throws AGENT_AZURE_FAILED where nothing could be read. */
async function readAzure(
  parsed: ParsedArguments,
  desk: RecordDesk,
  terminal: Terminal,
): Promise<readonly string[]> {
  const address = readResourceId(parsed.text("resource-id") ?? "");
  if (!address.ok) {
    const remedy = "/subscriptions/…/resourceGroups/…/providers/Microsoft.Devices/IotHubs/NAME";
    throw usage(address.problem.detail, `Its form is ${remedy}`);
  }
  const path = parsed.text("connection-string-file");
  const secret = path === undefined ? undefined : readSecret(resolve(path), "the service policy");
  const isWithKeys = parsed.flag("with-keys");
  if (isWithKeys) {
    terminal.warn(
      "reading keys of devices: it takes the right to read them (IoT Hub Data Reader or RegistryRead), " +
        "and they are hashed at once",
    );
  }
  const { readLive } = await import("../fleet/azure/read-live.ts");
  const outcome = await readLive(
    {
      address: address.value,
      isWithKeys,
      clock: systemClock,
      ...(secret === undefined ? {} : { connectionString: secret }),
    },
    desk,
  );
  if (outcome.isAnythingRead) return outcome.gaps;
  throw new AgentError("AGENT_AZURE_FAILED", `nothing could be read: ${outcome.gaps[0] ?? ""}`, {
    remedy: "Log in (az login) with the rights of docs/hub-posture.md, or judge saved files.",
  });
}

function usage(what: string, remedy: string): AgentError {
  return new AgentError("AGENT_USAGE", what, { remedy });
}
