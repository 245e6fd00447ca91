import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { AgentError } from "../../src/contract/errors.ts";
import { mosquittoMissing } from "../support/mosquitto.ts";
import { mosquittoBench, testCertificates } from "./mosquitto-bench.ts";
import { HUB_KINDS, Subject, until } from "./transport-bench.ts";
import { transportSuite, withSubject } from "./transport-suite.ts";

transportSuite("mosquitto", mosquittoMissing, () => mosquittoBench());

const EXPECTED = {
  "other-host": /another host name/,
  untrusted: /not trusted/,
  expired: /expired/,
} as const;

describe("certificates of a broker", { concurrency: 6, skip: mosquittoMissing ?? false }, () => {
  for (const kind of HUB_KINDS) {
    for (const which of ["other-host", "untrusted", "expired"] as const) {
      it(`${kind} refuses one that is ${which} and says so`, async () => {
        const bench = await mosquittoBench(which);
        try {
          await withSubject(bench, kind, async (subject) => {
            await until("refused", () => subject.faults().length > 1);
            assert.deepEqual([...new Set(subject.faults())], ["tls"]);
            assert.match(subject.lastDisconnection()?.detail ?? "", EXPECTED[which]);
            assert.equal(subject.connections, 0);
          });
        } finally {
          await bench.stop();
        }
      });
    }
  }
});

describe("an identity with a certificate", { skip: mosquittoMissing ?? false }, () => {
  async function certificateFiles(folder: string) {
    const { authority } = await testCertificates();
    const mine = await authority.issue({ commonName: "gw1" });
    const files = { certificateFile: join(folder, "cert.pem"), keyFile: join(folder, "key.pem") };
    writeFileSync(files.certificateFile, mine.certificatePem);
    writeFileSync(files.keyFile, mine.keyPem);
    return files;
  }

  async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), "x509-"));
    try {
      await body(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  for (const [kind, moduleId] of [
    ["iothub", "azureiotsecurity"],
    ["iothub", undefined],
    ["iothub-sdk", undefined],
  ] as const) {
    it(`connects ${kind} as a ${moduleId === undefined ? "device" : "module"}`, () =>
      inFolder(async (folder) => {
        const bench = await mosquittoBench(undefined, ["require_certificate true"]);
        const identity = {
          source: "x509" as const,
          hostName: "hub.example",
          gatewayHostName: `localhost:${bench.relay.port}`,
          deviceId: "gw1",
          ...(moduleId === undefined ? {} : { moduleId }),
          ...(await certificateFiles(folder)),
        };
        const subject = await Subject.start({ kind, ...bench.options, identity });
        try {
          await subject.ready();
          assert.equal((await subject.send()).status, "acknowledged");
          bench.patchDesired({ by: "certificate" });
          await subject.agrees(bench);
        } finally {
          await subject.stop();
          await bench.stop();
        }
      }));
  }

  it("of a module is refused for the SDK with a reason, at start", () =>
    inFolder(async (folder) => {
      const files = await certificateFiles(folder);
      const connectionStringFile = join(folder, "connection-string");
      writeFileSync(connectionStringFile, "HostName=h;DeviceId=d;ModuleId=m;x509=true");
      const x509 = { source: "x509" as const, hostName: "h", deviceId: "d", moduleId: "m" };
      for (const identity of [
        { ...x509, ...files },
        { source: "connection-string" as const, connectionStringFile, ...files },
      ]) {
        await assert.rejects(
          Subject.start({ kind: "iothub-sdk", identity }),
          (error) => error instanceof AgentError && error.code === "AGENT_CONFIG_INVALID",
        );
      }
    }));
});
