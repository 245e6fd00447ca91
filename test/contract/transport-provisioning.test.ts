/** Provisioning from registration to the first message: DPS on a broker, the hub's HTTPS end beside it. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { AgentError } from "../../src/contract/errors.ts";
import { FaultError } from "../../src/transport/fault.ts";
import { keyIn } from "../../src/transport/identity/module-key.ts";
import { parseReply, stepAfter } from "../../src/transport/identity/provisioning.ts";
import { deriveDeviceKey, signSas } from "../../src/transport/identity/sas.ts";
import type {
  HubAssignment,
  HubOptions,
  ProvisioningOptions,
} from "../../src/transport/transport-options.ts";
import { mosquittoMissing } from "../support/mosquitto.ts";
import { connectRaw, type RawClient } from "../support/raw-mqtt.ts";
import { mosquittoBench, testCertificates } from "./mosquitto-bench.ts";
import { IMPATIENT, Subject, until } from "./transport-bench.ts";

const GROUP_KEY = Buffer.from("the key of a whole enrolment group").toString("base64");
const MODULE_KEY = Buffer.from("the key of one module").toString("base64");

describe("an answer of the provisioning service", () => {
  const step = (topic: string, body: string) => {
    const reply = parseReply(`$dps/registrations/res/${topic}`, body);
    assert.ok(reply !== undefined);
    const next = stepAfter(reply);
    return next.kind === "failed" ? next.reason.detail : next;
  };

  it("assigns a hub, or says where to ask again and when", () => {
    const assigned =
      '{"status":"assigned","registrationState":{"assignedHub":"h.example","deviceId":"d"}}';
    assert.deepEqual(step("200/?$rid=1", assigned), {
      kind: "assigned",
      assignment: { hostName: "h.example", deviceId: "d" },
    });
    const assigning = '{"operationId":"4.abc","status":"assigning"}';
    assert.deepEqual(step("202/?$rid=1&retry-after=3", assigning), {
      kind: "poll",
      operationId: "4.abc",
    });
    const after = parseReply("$dps/registrations/res/202/?$rid=1&retry-after=3", assigning);
    assert.equal(after?.retryAfterMs, 3_000);
    assert.deepEqual(step("429/?$rid=1&retry-after=5", ""), { kind: "again" });
  });

  it("explains every refusal", () => {
    assert.match(String(step("401/?$rid=1", '{"errorCode":401002}')), /401/);
    assert.match(String(step("404/?$rid=1", "")), /404/);
    assert.match(String(step("200/?$rid=1", '{"status":"disabled"}')), /disabled/);
    assert.match(String(step("200/?$rid=1", '{"status":"unassigned"}')), /no hub/);
    const failed = '{"status":"failed","registrationState":{"errorCode":400004}}';
    assert.match(String(step("200/?$rid=1", failed)), /error 400004/);
    assert.match(String(step("200/?$rid=1", "nonsense")), /not understood/);
    assert.match(String(step("202/?$rid=1", '{"operationId":"../x y"}')), /not understood/);
    assert.equal(parseReply("other/topic", ""), undefined);
  });
});

describe("the hub's answer about a module", () => {
  it("holds the key, or explains why not", () => {
    const body = JSON.stringify({
      authentication: { type: "sas", symmetricKey: { primaryKey: MODULE_KEY } },
    });
    assert.equal(keyIn({ status: 200, body }, "m"), MODULE_KEY);
    for (const [status, text] of [
      [404, ""],
      [401, ""],
      [200, "{}"],
      [200, "not json"],
    ] as const) {
      assert.throws(() => keyIn({ status, body: text }, "m"), FaultError);
    }
  });
});

/** A provisioning service on the broker: answers assigning first, then assigned. */
async function startProvisioning(port: number, hostName: string) {
  const registered: string[] = [];
  let client: RawClient | undefined;
  client = await connectRaw(port, "dps", ({ topic, payload }) => {
    const requestId = /\$rid=([^&]+)/.exec(topic)?.[1];
    const answer = (status: number, more: string, body: object): void =>
      client?.publish(
        `$dps/registrations/res/${status}/?$rid=${requestId}${more}`,
        JSON.stringify(body),
      );
    if (topic.startsWith("$dps/registrations/PUT/")) {
      registered.push(payload.toString("utf8"));
      answer(202, "&retry-after=0", { operationId: "4.op", status: "assigning" });
    } else if (topic.includes("operationId=4.op")) {
      const registrationState = { assignedHub: hostName, deviceId: "gw1" };
      answer(200, "", { operationId: "4.op", status: "assigned", registrationState });
    }
  });
  await client.subscribe(["$dps/registrations/PUT/#", "$dps/registrations/GET/#"]);
  return { registered, close: () => client?.close() };
}

/** The hub's HTTPS end: gives the module's key to its device. */
async function startRegistry(authorizations: string[], paths: string[]) {
  const { good } = await testCertificates();
  const server = createServer({ cert: good.certificatePem, key: good.keyPem }, (asked, answer) => {
    paths.push(asked.url ?? "");
    authorizations.push(asked.headers.authorization ?? "");
    answer.end(JSON.stringify({ authentication: { symmetricKey: { primaryKey: MODULE_KEY } } }));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", () => done()));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise<void>((done) => server.close(() => done())),
  };
}

describe("provisioning", { skip: mosquittoMissing ?? false }, () => {
  it("goes from a group key to the module's first message, and is remembered", async () => {
    const bench = await mosquittoBench();
    const [authorizations, paths]: [string[], string[]] = [[], []];
    const registry = await startRegistry(authorizations, paths);
    const service = await startProvisioning(bench.plainPort, `localhost:${registry.port}`);
    const folder = mkdtempSync(join(tmpdir(), "provisioning-"));
    const keyFile = join(folder, "group-key");
    writeFileSync(keyFile, `${GROUP_KEY}\n`);
    const identity: ProvisioningOptions = {
      source: "provisioning",
      endpoint: `localhost:${bench.relay.port}`,
      idScope: "0ne000",
      registrationId: "gw1",
      moduleId: "azureiotsecurity",
      attestation: { kind: "group-key", keyFile },
    };
    const network = { ...bench.options.network, port: bench.relay.port };
    const options: HubOptions = { ...bench.options, network, identity };
    const kept: HubAssignment[] = [];
    const assignments = {
      load: () => kept.at(-1),
      save: (assignment: HubAssignment) => void kept.push(assignment),
    };
    try {
      for (const round of [1, 2]) {
        const subject = await Subject.start({ kind: "iothub", ...options }, { assignments });
        await subject.ready();
        assert.equal((await subject.send()).status, "acknowledged");
        await until("there", () => bench.telemetry().length === round);
        const said = JSON.stringify([subject.statuses, subject.log.lines]);
        assert.ok(!said.includes(GROUP_KEY) && !said.includes(MODULE_KEY));
        await subject.stop();
      }
      assert.deepEqual(service.registered, ['{"registrationId":"gw1"}'], "asked only once");
      assert.deepEqual(kept, [{ hostName: `localhost:${registry.port}`, deviceId: "gw1" }]);
      assert.equal(paths[0], "/devices/gw1/modules/azureiotsecurity?api-version=2020-09-30");
      const expirySeconds = Number(/se=(\d+)/.exec(authorizations[0] ?? "")?.[1]);
      const keyBase64 = deriveDeviceKey(GROUP_KEY, "gw1");
      const token = signSas({ resource: "localhost/devices/gw1", keyBase64, expirySeconds });
      assert.equal(authorizations[0], token, "the device must ask with its own derived key");
    } finally {
      service.close();
      await registry.close();
      await bench.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("that nobody answers is a fault of its own, tried again", async () => {
    const bench = await mosquittoBench();
    const identity: ProvisioningOptions = {
      source: "provisioning",
      endpoint: `localhost:${bench.relay.port}`,
      idScope: "0ne000",
      registrationId: "gw1",
      attestation: { kind: "symmetric-key", keyFile: "/never/read" },
    };
    const options: HubOptions = { ...bench.options, identity, timing: IMPATIENT };
    const readSecret = (): string => GROUP_KEY;
    const subject = await Subject.start({ kind: "iothub", ...options }, { readSecret });
    try {
      await until("told", () => subject.faults().length > 0);
      assert.equal(subject.faults()[0], "timed-out");
    } finally {
      await subject.stop();
      await bench.stop();
    }
  });

  it("with unusable names stops the agent at start", async () => {
    const identity: ProvisioningOptions = {
      source: "provisioning",
      idScope: "a/b",
      registrationId: "gw1",
      attestation: { kind: "symmetric-key", keyFile: "/never/read" },
    };
    await assert.rejects(
      Subject.start({ kind: "iothub", identity }),
      (error) => error instanceof AgentError && error.code === "AGENT_IDENTITY_INVALID",
    );
  });
});
