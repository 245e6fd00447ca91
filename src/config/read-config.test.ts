import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import type { JsonObject, JsonValue } from "../contract/json.ts";
import { check } from "../contract/schema.ts";
import { configJsonSchema, configTable } from "./config-docs.ts";
import { overridesOf } from "./environment-overrides.ts";
import { type ConfigReading, configurationFindings, readConfig } from "./read-config.ts";
import { CONFIG_SCHEMA } from "./schema.ts";

const DEFAULTS = CONFIG_SCHEMA.defaults();
const KEY = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA==";
const CONNECTION_STRING = `HostName=h.azure-devices.net;DeviceId=d;SharedAccessKey=${KEY}`;

function read(config: JsonValue, variables: Record<string, string> = {}): ConfigReading {
  return readConfig(JSON.stringify(config), variables);
}

/** A configuration that can run, with something added. */
function runnable(extra: JsonObject = {}): JsonObject {
  return { iothub: { connectionStringFile: "/etc/gatewarden/connection-string" }, ...extra };
}

function keysOf(entries: readonly { readonly key: string }[]): readonly string[] {
  return entries.map((entry) => entry.key);
}

describe("a local configuration", () => {
  it("of the usual kind is accepted without a word", () => {
    const reading = read({
      transport: "iothub",
      iothub: { connectionStringFile: "credential:connection-string", caFile: "/etc/ssl/ca.pem" },
      stateDirectory: "/srv/gatewarden",
      log: { level: "debug" },
    });
    assert.deepEqual([reading.faults, reading.warnings], [[], []]);
    assert.equal(reading.config.stateDirectory, "/srv/gatewarden");
    assert.equal(reading.config.log.level, "debug");
    assert.equal(reading.config.iothub.caFile, "/etc/ssl/ca.pem");
    assert.equal(reading.config.iothub.keepAliveSeconds, 240);
    assert.deepEqual(reading.transport, {
      kind: "iothub",
      identity: {
        source: "connection-string",
        connectionStringFile: "credential:connection-string",
      },
      config: reading.config.iothub,
    });
  });

  it("that is absent is all defaults, and only the identity is missing", () => {
    const reading = readConfig(undefined, {});
    assert.deepEqual(reading.config, DEFAULTS);
    assert.equal(reading.config.stateDirectory, "/var/lib/gatewarden");
    assert.equal(reading.config.firstSnapshotDelaySeconds, 10);
    assert.deepEqual(
      reading.faults.map((fault) => [fault.severity, fault.key]),
      [["error", "iothub"]],
    );
  });

  it("that is no JSON costs the file, not the variables", () => {
    const reading = readConfig(`{"iothub": "${CONNECTION_STRING}`, {
      GATEWARDEN_LOG_LEVEL: "warn",
      GATEWARDEN_IOTHUB_CONNECTION_STRING_FILE: "/run/cs",
    });
    assert.deepEqual(keysOf(reading.faults), [""]);
    assert.equal(reading.config.log.level, "warn");
    assert.equal(reading.transport?.kind, "iothub");
    assert.equal(JSON.stringify(reading.faults).includes(KEY), false);
  });

  it("loses only the field that is bad, and says what was expected", () => {
    const reading = read(
      runnable({
        log: { level: "loud" },
        spool: { flushBytes: 1 },
        stateDirectory: "var",
        agentId: 5,
      }),
    );
    assert.deepEqual(keysOf(reading.faults), [
      "agentId",
      "stateDirectory",
      "log.level",
      "spool.flushBytes",
    ]);
    assert.deepEqual(reading.faults[2], {
      severity: "fault",
      key: "log.level",
      message: 'found "loud"; expected one of error, warn, info, debug; "info" stands',
      usedConfiguration: '"info"',
    });
    assert.ok(reading.faults.every((fault) => fault.severity === "fault"));
    assert.equal(reading.config.iothub.connectionStringFile, "/etc/gatewarden/connection-string");
    assert.equal(reading.config.spool.flushBytes, DEFAULTS.spool.flushBytes);
    const findings = configurationFindings(reading);
    assert.equal(findings[2]?.configurationName, "log.level");
    assert.equal(findings[2]?.errorType, "TypeMismatch");
  });

  it("keeps settings and collectors as they are, but for what is no object", () => {
    const settings = { snapshotFrequency: "PT1H", eventPriorityLogin: { value: "Off" } };
    const collectors = { "listening-ports": { udp: false }, odd: 5 };
    const reading = read(runnable({ settings, collectors }));
    assert.deepEqual(reading.config.settings, settings);
    assert.deepEqual(reading.config.collectors, { "listening-ports": { udp: false } });
    assert.deepEqual(keysOf(reading.faults), ["collectors.odd"]);
  });

  it("has its unknown keys reported, with the key that was probably meant", () => {
    const reading = read(
      runnable({ $schema: "x", logs: {}, mqtt: { urll: "mqtts://b" }, zebra: 1 }),
    );
    assert.deepEqual(reading.faults, []);
    assert.deepEqual(reading.warnings, [
      { key: "logs", message: "unknown key, ignored; did you mean log?" },
      { key: "zebra", message: "unknown key, ignored" },
      { key: "mqtt.urll", message: "unknown key, ignored; did you mean mqtt.url?" },
    ]);
  });

  it("never yields more than 64 faults and 64 warnings", () => {
    const many = Object.fromEntries(Array.from({ length: 3_000 }, (_, at) => [`key${at}`, 1]));
    const collectors = Object.fromEntries(Array.from({ length: 64 }, (_, at) => [`c${at}`, 1]));
    const variables = Object.fromEntries(
      Array.from({ length: 3_000 }, (_, at) => [`GATEWARDEN_X${at}`, "1"]),
    );
    const reading = read({ ...many, collectors }, variables);
    assert.equal(reading.warnings.length, 64);
    assert.ok(reading.faults.length <= 64);
  });
});

describe("the transport", () => {
  const x509 = {
    hostName: "h.azure-devices.net",
    deviceId: "gw1",
    certificateFile: "/etc/c.pem",
    keyFile: "/etc/k.pem",
  };
  const dps = { idScope: "0ne001", registrationId: "gw1" };

  const cannotWork: readonly (readonly [string, JsonObject, string, RegExp])[] = [
    ["no identity", {}, "iothub", /no identity: give one of iothub.connectionStringFile/],
    [
      "two identities",
      { iothub: { connectionStringFile: "/cs", x509 } },
      "iothub",
      /more than one identity: iothub.connectionStringFile and iothub.x509/,
    ],
    [
      "a certificate without host",
      { iothub: { x509: { ...x509, hostName: "not a host" } } },
      "iothub.x509",
      /hostName missing or unusable/,
    ],
    [
      "provisioning without proof",
      { iothub: { provisioning: dps } },
      "iothub.provisioning",
      /no proof of identity/,
    ],
    [
      "provisioning with two proofs",
      { iothub: { provisioning: { ...dps, symmetricKeyFile: "/k", groupKeyFile: "/g" } } },
      "iothub.provisioning",
      /more than one proof/,
    ],
    [
      "provisioning without scope",
      { iothub: { provisioning: { registrationId: "gw1", symmetricKeyFile: "/k" } } },
      "iothub.provisioning",
      /idScope missing/,
    ],
    [
      "a certificate without key",
      { iothub: { connectionStringFile: "/cs", certificateFile: "/c" } },
      "iothub",
      /belong together/,
    ],
    ["a broker without address", { transport: "mqtt" }, "mqtt.url", /missing/],
    [
      "a broker key without certificate",
      { transport: "mqtt", mqtt: { url: "mqtts://b", keyFile: "/k" } },
      "mqtt",
      /belong together/,
    ],
    ["a file without path", { transport: "file" }, "file.path", /missing/],
  ];
  for (const [what, config, key, message] of cannotWork) {
    it(`with ${what} is an error`, () => {
      const reading = read(config);
      assert.equal(reading.transport, undefined);
      const [first] = reading.faults;
      assert.deepEqual([first?.severity, first?.key], ["error", key]);
      assert.match(first?.message ?? "", message);
    });
  }

  it("is not held back by what another transport lacks", () => {
    const reading = read({ transport: "file", file: { path: "/var/log/gatewarden.jsonl" } });
    assert.deepEqual(reading.faults, []);
    assert.equal(reading.transport?.kind, "file");
  });

  it("takes a certificate, a provisioned key and a provisioned certificate", () => {
    const identityOf = (iothub: JsonObject) => {
      const { transport, faults } = read({ iothub });
      assert.deepEqual(faults, []);
      return transport?.kind === "iothub" ? transport.identity : undefined;
    };
    assert.deepEqual(identityOf({ x509, gatewayHostName: "edge:8883" }), {
      source: "x509",
      ...x509,
      gatewayHostName: "edge:8883",
    });
    assert.deepEqual(
      identityOf({ provisioning: { ...dps, moduleId: "m", port: 8883, groupKeyFile: "/g" } }),
      {
        source: "provisioning",
        endpoint: "global.azure-devices-provisioning.net:8883",
        ...dps,
        moduleId: "m",
        attestation: { kind: "group-key", keyFile: "/g" },
      },
    );
    assert.deepEqual(
      identityOf({ provisioning: { ...dps, certificateFile: "/c", keyFile: "/k" } }),
      {
        source: "provisioning",
        endpoint: "global.azure-devices-provisioning.net",
        ...dps,
        attestation: { kind: "x509", certificateFile: "/c", keyFile: "/k" },
      },
    );
  });

  it("warns of a broker without TLS and of keys without effect", () => {
    const plain = read({
      transport: "mqtt",
      mqtt: { url: "mqtt://b:1883", proxyPasswordFile: "/p" },
    });
    assert.deepEqual(keysOf(plain.warnings), ["mqtt.proxyPasswordFile", "mqtt.url"]);
    const gateway = read({ iothub: { connectionStringFile: "/cs", gatewayHostName: "edge" } });
    assert.deepEqual(keysOf(gateway.warnings), ["iothub.gatewayHostName"]);
  });

  it("takes only addresses and topics of the right form", () => {
    for (const url of ["mqtts://b", "mqtt://b:1883", "wss://b/mqtt", "ws://b:80/x"]) {
      assert.equal(read({ transport: "mqtt", mqtt: { url } }).transport?.kind, "mqtt", url);
    }
    for (const url of [
      "b",
      "http://b",
      "mqtts://",
      "mqtts://b?x=1",
      "mqtts://u:p@b",
      "mqtts://u@b",
    ]) {
      assert.equal(read({ transport: "mqtt", mqtt: { url } }).transport, undefined, url);
    }
    for (const topic of ["a/#", "a/+/b", "{other}/x", "", "a b", "$SYS/x"]) {
      assert.deepEqual(keysOf(read(runnable({ mqtt: { topic } })).faults), ["mqtt.topic"], topic);
    }
    assert.deepEqual(read(runnable({ mqtt: { topic: "sec/{deviceId}/{kind}" } })).faults, []);
  });
});

describe("a secret in the configuration", () => {
  const inline: readonly (readonly [JsonObject, string, string])[] = [
    [
      { iothub: { connectionString: CONNECTION_STRING } },
      "iothub.connectionString",
      "iothub.connectionStringFile",
    ],
    [
      { iothub: { shared_access_key: KEY } },
      "iothub.shared_access_key",
      "iothub.connectionStringFile",
    ],
    [{ connectionString: CONNECTION_STRING }, "connectionString", "connectionStringFile"],
    [
      { iothub: { provisioning: { symmetricKey: KEY } } },
      "iothub.provisioning.symmetricKey",
      "iothub.provisioning.symmetricKeyFile",
    ],
    [{ iothub: { x509: { key: KEY } } }, "iothub.x509.key", "iothub.x509.keyFile"],
    [{ mqtt: { password: KEY } }, "mqtt.password", "mqtt.passwordFile"],
  ];
  for (const [config, key, where] of inline) {
    it(`at ${key} is a fault that names ${where} and shows nothing`, () => {
      const reading = read(config);
      const fault = reading.faults.find((candidate) => candidate.key === key);
      assert.equal(fault?.severity, "fault");
      assert.ok(fault?.message.includes(`name that file with ${where}`), fault?.message);
      assert.equal(JSON.stringify([reading.faults, reading.warnings]).includes(KEY), false);
    });
  }

  it("is not shown wherever else it was put by mistake", () => {
    const misplaced: readonly JsonObject[] = [
      { iothub: { connectionStringFile: CONNECTION_STRING } },
      { iothub: { connectionStringFile: KEY } },
      { iothub: { connectionStringFile: "hunter2" } },
      { iothub: CONNECTION_STRING },
      { iothub: [CONNECTION_STRING] },
      { iothub: { proxy: `http://user:${KEY}@proxy:3128` } },
      { mqtt: { url: "mqtts://user:hunter2@broker" } },
      { mqtt: { passwordFile: "hunter2" } },
      { mqtt: [{ password: "hunter2" }] },
      { log: { level: KEY } },
      { [`GATEWARDEN`]: KEY },
    ];
    for (const config of misplaced) {
      const { faults, warnings } = read(config);
      const told = JSON.stringify([faults, warnings]);
      assert.ok(faults.length + warnings.length > 0);
      assert.equal(/hunter2|c2VjcmV0/.test(told), false, told);
    }
  });

  it("is not taken from a variable", () => {
    const reading = readConfig(undefined, {
      GATEWARDEN_IOTHUB_CONNECTION_STRING: CONNECTION_STRING,
      GATEWARDEN_MQTT_PASSWORD: "hunter2",
      GATEWARDEN_IOTHUB_CONNECTION_STRING_FILE: CONNECTION_STRING,
      GATEWARDEN_LOG_LEVEL: KEY,
    });
    const told = JSON.stringify([reading.faults, reading.warnings]);
    assert.equal(/hunter2|c2VjcmV0/.test(told), false, told);
    assert.deepEqual([...keysOf(reading.faults)].sort(), [
      "GATEWARDEN_IOTHUB_CONNECTION_STRING",
      "GATEWARDEN_IOTHUB_CONNECTION_STRING_FILE",
      "GATEWARDEN_LOG_LEVEL",
      "GATEWARDEN_MQTT_PASSWORD",
      "iothub",
    ]);
    assert.ok(told.includes("name that file with GATEWARDEN_MQTT_PASSWORD_FILE"));
    assert.deepEqual(reading.config, DEFAULTS);
  });
});

describe("a variable", () => {
  it("overrides the file, in every scalar type", () => {
    const reading = read(runnable({ log: { level: "warn" } }), {
      GATEWARDEN_LOG_LEVEL: "debug",
      GATEWARDEN_STATE_DIRECTORY: "/srv/state",
      GATEWARDEN_IOTHUB_KEEP_ALIVE_SECONDS: "60",
      GATEWARDEN_IOTHUB_MARK_AS_SECURITY: "true",
      GATEWARDEN_FIRST_SNAPSHOT_DELAY_SECONDS: "0",
      PATH: "/bin",
    });
    assert.deepEqual([reading.faults, reading.warnings], [[], []]);
    const { config } = reading;
    assert.equal(config.log.level, "debug");
    assert.equal(config.stateDirectory, "/srv/state");
    assert.equal(config.iothub.keepAliveSeconds, 60);
    assert.equal(config.iothub.markAsSecurity, true);
    assert.equal(config.firstSnapshotDelaySeconds, 0);
  });

  it("can give a whole identity", () => {
    const reading = readConfig(undefined, {
      GATEWARDEN_IOTHUB_X509_HOST_NAME: "h.azure-devices.net",
      GATEWARDEN_IOTHUB_X509_DEVICE_ID: "gw1",
      GATEWARDEN_IOTHUB_X509_CERTIFICATE_FILE: "/c",
      GATEWARDEN_IOTHUB_X509_KEY_FILE: "/k",
    });
    assert.deepEqual(reading.faults, []);
    assert.equal(reading.transport?.kind, "iothub");
  });

  it("that is bad leaves the file's value in force", () => {
    const reading = read(runnable({ log: { level: "warn" } }), { GATEWARDEN_LOG_LEVEL: "loud" });
    assert.equal(reading.config.log.level, "warn");
    assert.deepEqual(keysOf(reading.faults), ["GATEWARDEN_LOG_LEVEL"]);
    assert.match(
      reading.faults[0]?.message ?? "",
      /found "loud"; expected one of .*; "warn" stands/,
    );
  });

  it("replaces a bad value of the file, which is still reported", () => {
    const reading = read(runnable({ log: 5 }), { GATEWARDEN_LOG_LEVEL: "warn" });
    assert.equal(reading.config.log.level, "warn");
    assert.deepEqual(keysOf(reading.faults), ["log"]);
  });

  it("that is empty counts as not set, and one that is unknown is reported", () => {
    const reading = read(runnable(), { GATEWARDEN_LOG_LEVEL: "", GATEWARDEN_LOGLEVEL: "debug" });
    assert.equal(reading.config.log.level, "info");
    assert.deepEqual(reading.warnings, [
      {
        key: "GATEWARDEN_LOGLEVEL",
        message: "unknown variable, ignored; did you mean GATEWARDEN_LOG_LEVEL?",
      },
    ]);
  });

  it("exists once for every scalar key", () => {
    const names = overridesOf(CONFIG_SCHEMA).map((override) => override.variable);
    assert.equal(new Set(names).size, names.length);
    assert.ok(names.length > 40);
    assert.ok(names.every((name) => /^GATEWARDEN_[A-Z0-9]+(?:_[A-Z0-9]+)*$/.test(name)));
    assert.ok(names.includes("GATEWARDEN_IOTHUB_PROVISIONING_ID_SCOPE"));
  });
});

describe("any configuration", () => {
  const keys = fc.oneof(
    fc.constantFrom(
      ...Object.keys(CONFIG_SCHEMA.fields ?? {}),
      ...Object.keys(CONFIG_SCHEMA.fields?.["iothub"]?.fields ?? {}),
      "constructor",
      "toString",
      "level",
    ),
    fc.string(),
  );
  const any: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom<JsonValue>(null, true, 0, 1e308, "", "/path", "info", "file"),
      fc.string({ unit: "binary" }),
      fc.array(tie("value"), { maxLength: 3 }),
      fc
        .array(fc.tuple(keys, tie("value")), { maxLength: 6 })
        .map((entries): JsonValue => Object.fromEntries(entries)),
    ),
  })).value;
  const variables = fc.dictionary(
    fc.oneof(
      fc.constantFrom(...overridesOf(CONFIG_SCHEMA).map((override) => override.variable)),
      fc.string().map((name) => `GATEWARDEN_${name}`),
    ),
    fc.oneof(fc.string(), fc.constantFrom("1", "true", "/path", "info")),
  );

  it("gives a complete one, or says why the transport cannot work", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          any.map((value) => JSON.stringify(value)),
          fc.string(),
        ),
        variables,
        (text, env) => {
          const reading = readConfig(text, env);
          for (const key of Object.keys(DEFAULTS))
            assert.ok(Object.hasOwn(reading.config, key), key);
          assert.deepEqual(check(CONFIG_SCHEMA, reading.config), []);
          const hasError = reading.faults.some((fault) => fault.severity === "error");
          assert.equal(reading.transport === undefined, hasError);
          for (const { key, message } of [...reading.faults, ...reading.warnings]) {
            assert.match(key, /^[\x20-\x7e]{0,120}$/);
            assert.ok(message.length > 0 && message.length < 1_000);
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it("is read the same way twice", () => {
    fc.assert(
      fc.property(any, variables, (value, env) => {
        const text = JSON.stringify(value);
        assert.deepEqual(readConfig(text, env), readConfig(text, env));
      }),
      { numRuns: 50 },
    );
  });
});

describe("the documentation of the configuration", () => {
  it("is a JSON Schema that an independent validator takes", () => {
    const validate = new Ajv2020({ strict: true, validateFormats: false }).compile(
      configJsonSchema(),
    );
    assert.equal(validate(runnable({ log: { level: "warn" }, $schema: "x" })), true);
    assert.equal(validate({ log: { level: "loud" } }), false);
    assert.equal(validate({ unknown: 1 }), false);
    assert.equal(validate({ iothub: { keepAliveSeconds: 29 } }), false);
  });

  it("has a line for every key", () => {
    const table = configTable();
    for (const override of overridesOf(CONFIG_SCHEMA)) {
      assert.ok(table.includes(`| \`${override.path.join(".")}\``), override.variable);
      assert.ok(table.includes(`\`${override.variable}\``), override.variable);
    }
  });
});
