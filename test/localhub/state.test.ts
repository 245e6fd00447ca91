import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { AgentError } from "../../src/contract/errors.ts";
import { type LocalHubOptions, startLocalHub } from "../../src/localhub/local-hub.ts";
import { systemRandom } from "../../src/system/random.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { RecordingLog } from "../support/recording-log.ts";
import { field } from "./raw-client.ts";

const DAY_MS = 86_400_000;

function inFolder(body: (folder: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), "hub-folder-"));
    try {
      await body(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
}

/** Starts a hub, takes what it says of itself, and stops it. */
async function once(stateDirectory: string, options: Partial<LocalHubOptions> = {}) {
  const log = new RecordingLog();
  const hub = await startLocalHub({
    stateDirectory,
    clock: new FakeClock({ startMs: Date.now() }),
    random: systemRandom,
    log,
    ...options,
  });
  const { caFile } = hub;
  const connectionString = hub.connectionString();
  await hub.stop();
  const read = (name: string): string => readFileSync(join(stateDirectory, name), "utf8");
  return { caFile, connectionString, ca: read("ca.pem"), server: read("server.pem"), log };
}

describe("the folder of a hub", () => {
  it(
    "keeps CA, certificate and keys over restarts",
    inFolder(async (folder) => {
      const below = join(folder, "made", "when-absent");
      const [first, second] = [await once(below), await once(below)];
      assert.equal(second.ca, first.ca);
      assert.equal(second.server, first.server);
      const key = (text: string): string => field(text, "SharedAccessKey");
      assert.equal(key(second.connectionString), key(first.connectionString));
      assert.equal(Buffer.from(key(first.connectionString), "base64").length, 32);
      assert.equal(first.caFile, join(below, "ca.pem"));
      assert.equal(second.log.lines.length, 0, "nothing was made");
    }),
  );

  it(
    "is private, and so are its secrets",
    inFolder(async (folder) => {
      const below = join(folder, "state");
      const { log } = await once(below);
      const modes = readdirSync(below)
        .sort()
        .map((name) => `${name} ${(statSync(join(below, name)).mode & 0o777).toString(8)}`);
      assert.deepEqual(modes, [
        "ca-key.pem 600",
        "ca.pem 644",
        "keys.json 600",
        "server-key.pem 600",
        "server.pem 644",
      ]);
      assert.equal(statSync(below).mode & 0o777, 0o700);
      assert.doesNotMatch(JSON.stringify(log.lines), /PRIVATE|SharedAccess/);
    }),
  );

  it(
    "gives keys to identities that are new, and keeps the others",
    inFolder(async (folder) => {
      const first = await once(folder);
      const added = {
        identities: [{ deviceId: "gateway", moduleId: "azureiotsecurity" }, { deviceId: "new" }],
      };
      const second = await once(folder, added);
      assert.equal(
        field(second.connectionString, "SharedAccessKey"),
        field(first.connectionString, "SharedAccessKey"),
      );
    }),
  );

  it(
    "that is corrupt: certificates are made anew, keys are not",
    inFolder(async (folder) => {
      const first = await once(folder);
      writeFileSync(join(folder, "server.pem"), "garbage");
      const second = await once(folder);
      assert.equal(second.ca, first.ca);
      assert.notEqual(second.server, first.server);
      rmSync(join(folder, "ca-key.pem"));
      const third = await once(folder);
      assert.notEqual(third.ca, first.ca);
      assert.ok(new X509Certificate(third.server).verify(new X509Certificate(third.ca).publicKey));
      for (const text of ["{broken", "[]", '{"gateway":1}']) {
        writeFileSync(join(folder, "keys.json"), text);
        await assert.rejects(once(folder), (error) => {
          assert.ok(error instanceof AgentError);
          assert.equal(error.code, "AGENT_STATE_UNUSABLE");
          return /keys\.json/.test(error.message) && error.remedy.length > 10;
        });
      }
    }),
  );

  it(
    "that cannot be used is told with a remedy",
    inFolder(async (folder) => {
      const file = join(folder, "file");
      writeFileSync(file, "");
      chmodSync(file, 0o600);
      await assert.rejects(once(file), { code: "AGENT_STATE_UNUSABLE" });
    }),
  );
});

describe("the certificate of a hub", () => {
  it(
    "names localhost, its addresses and the hub, and lasts 397 days under a CA of ten years",
    inFolder(async (folder) => {
      const { ca, server } = await once(folder, { hostName: "my-hub" });
      const [caCertificate, leaf] = [new X509Certificate(ca), new X509Certificate(server)];
      const names = "DNS:localhost, DNS:my-hub, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1";
      assert.equal(leaf.subjectAltName, names);
      assert.ok(leaf.verify(caCertificate.publicKey));
      assert.equal(caCertificate.ca, true);
      assert.equal(leaf.ca, false);
      assert.equal(leaf.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
      const days = (one: X509Certificate): number =>
        (Date.parse(one.validTo) - Date.parse(one.validFrom)) / DAY_MS;
      assert.deepEqual([days(leaf), days(caCertificate)], [397, 3_650]);
    }),
  );

  it(
    "is renewed before its end, and for another name; the CA stays",
    inFolder(async (folder) => {
      const first = await once(folder);
      const later = (days: number) => ({
        clock: new FakeClock({ startMs: Date.now() + days * DAY_MS }),
      });
      assert.equal((await once(folder, later(300))).server, first.server);
      const renewed = await once(folder, later(396));
      assert.notEqual(renewed.server, first.server);
      assert.equal(renewed.ca, first.ca);
      const renamed = await once(folder, { ...later(396), hostName: "other-name" });
      assert.notEqual(renamed.server, renewed.server);
      assert.equal((await once(folder, later(9 * 365))).ca === first.ca, false);
    }),
  );
});

describe("a hub that cannot start", () => {
  it(
    "tells a taken port and leaves none open",
    inFolder(async (folder) => {
      const taken = createServer();
      await new Promise<void>((done) => taken.listen(0, "127.0.0.1", () => done()));
      const address = taken.address();
      assert.ok(typeof address === "object" && address !== null);
      for (const ports of [{ port: address.port }, { webSocketPort: address.port }]) {
        await assert.rejects(once(folder, ports), (error) => {
          assert.ok(error instanceof AgentError);
          return error.code === "AGENT_HUB_FAILED" && /EADDRINUSE/.test(error.message);
        });
      }
      await new Promise((done) => taken.close(done));
    }),
  );

  it(
    "tells names and desired properties that no hub could have",
    inFolder(async (folder) => {
      const cases: readonly (readonly [Partial<LocalHubOptions>, RegExp])[] = [
        [{ identities: [{ deviceId: "a/b" }] }, /no usable name/],
        [{ identities: [{ deviceId: "a", moduleId: "" }] }, /no usable name/],
        [{ desired: { "a.b": 1 } }, /key holds/],
      ];
      for (const [options, why] of cases) {
        await assert.rejects(once(folder, options), why);
      }
    }),
  );
});
