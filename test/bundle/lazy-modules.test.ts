/** A module that is not needed is not evaluated: memory on a gateway is for what runs. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import { BUNDLE, NODE, until } from "../support/bundle.ts";

const folder = mkdtempSync(join(tmpdir(), "gatewarden-lazy-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Text at the top level of a module of each package: it runs exactly when the module is evaluated. */
const SDK = "desiredPropertiesUpdateEvent=";
const CERTIFICATES = ".X509CertificateGenerator=";

interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly ranges: readonly {
        readonly startOffset: number;
        readonly endOffset: number;
        readonly count: number;
      }[];
    }[];
  }[];
}

/** How often V8 ran the code at a text of a part, by the innermost range around it; 0: never loaded. */
function timesRun(coverageFolder: string, part: string, text: string): number {
  const at = readFileSync(join(dirname(BUNDLE), part), "utf8").indexOf(text);
  assert.ok(at > 0, `${part} holds ${text}`);
  const scripts = readdirSync(coverageFolder).flatMap((name) => {
    const coverage: Coverage = JSON.parse(readFileSync(join(coverageFolder, name), "utf8"));
    return coverage.result;
  });
  assert.ok(scripts.length > 0, "V8 wrote its coverage");
  const [innermost] = scripts
    .filter(({ url }) => url.endsWith(`/${part}`))
    .flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges))
    .filter(({ startOffset, endOffset }) => startOffset <= at && at < endOffset)
    .sort((one, other) => one.endOffset - one.startOffset - (other.endOffset - other.startOffset));
  return innermost?.count ?? 0;
}

/** Runs until the text shows up, then asks to end; returns the folder with V8's coverage. */
async function covered(name: string, args: readonly string[], shown: string): Promise<string> {
  const coverageFolder = join(folder, name);
  const child = spawn(NODE, [BUNDLE, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: "/usr/bin:/bin", NODE_V8_COVERAGE: coverageFolder },
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
    });
  }
  const exit = new Promise<number | null>((resolve) => child.once("close", resolve));
  await until(() => text.includes(shown), shown);
  child.kill("SIGTERM");
  assert.equal(await exit, 0, text);
  return coverageFolder;
}

function config(transport: string): string {
  const connectionStringFile = join(folder, `${transport}.cs`);
  const text = "HostName=h;DeviceId=d;SharedAccessKey=a2V5;GatewayHostName=localhost:1";
  writeFileSync(connectionStringFile, text, { mode: 0o600 });
  const path = join(folder, `${transport}.json`);
  const stateDirectory = join(folder, `${transport}-state`);
  writeFileSync(
    path,
    JSON.stringify({ transport, stateDirectory, iothub: { connectionStringFile } }),
  );
  return path;
}

describe("modules that are not needed", { concurrency: 2 }, () => {
  it("are not evaluated by an agent with the transport iothub", async () => {
    const args = ["run", "--config", config("iothub")];
    const coverage = await covered("iothub", args, "not connected");
    assert.equal(timesRun(coverage, "gatewarden-azure.js", SDK), 0);
    assert.equal(timesRun(coverage, "gatewarden-tools.js", CERTIFICATES), 0);
  });

  it("are evaluated where they are needed, so that the check can fail", async () => {
    const args = ["run", "--config", config("iothub-sdk")];
    const sdk = await covered("iothub-sdk", args, "not connected");
    assert.equal(timesRun(sdk, "gatewarden-azure.js", SDK), 1);
    assert.equal(timesRun(sdk, "gatewarden-tools.js", CERTIFICATES), 0);
    const demo = await covered("demo", ["demo"], "message  ");
    assert.equal(timesRun(demo, "gatewarden-tools.js", CERTIFICATES), 1);
  });
});
