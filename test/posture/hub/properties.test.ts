/** What holds for every record: nothing throws, nothing secret comes out, everything is bounded. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { hubReportOf } from "../../../src/cli/hub-posture-view.ts";
import type { JsonObject, JsonValue } from "../../../src/contract/json.ts";
import { createRecordDesk } from "../../../src/fleet/record-desk.ts";
import { HUB_CATALOGUE } from "../../../src/posture/hub/catalogue.ts";
import { privilegesOf, readCreateOptions } from "../../../src/posture/hub/create-options.ts";
import { objectOf, timeOf, truthOf } from "../../../src/posture/hub/field.ts";
import { readConnectionRecord } from "../../../src/posture/hub/read-connection-log.ts";
import { readHubSettings } from "../../../src/posture/hub/read-hub-settings.ts";
import { readIdentity } from "../../../src/posture/hub/read-identity.ts";
import { htmlText } from "../../../src/report/html/html-text.ts";
import { jsonText } from "../../../src/report/json-text.ts";
import { markdownText } from "../../../src/report/markdown-text.ts";
import { sarifText } from "../../../src/report/sarif-text.ts";
import type { HubReport } from "../../../src/report/scan-report.ts";
import { tableLines } from "../../../src/report/table-lines.ts";
import { createKeyedDigest } from "../../../src/system/keyed-digest.ts";
import { sarifValidator } from "../../report/sarif-validator.ts";
import { judged, judgedText } from "./judged.ts";
import {
  chunked,
  connectionLog,
  deviceTwin,
  edgeAgentTwin,
  edgeHubTwin,
  exportedDevice,
  hubResource,
  module,
} from "./records.ts";

const MADE = {
  version: "1.2.3",
  at: "2026-01-15T12:00:00.000Z",
  durationMs: 5,
  isLive: false,
  maxAddresses: 65_536,
};

function reportOf(files: readonly string[]): HubReport {
  const desk = createRecordDesk(createKeyedDigest());
  files.forEach((text, at) => {
    const source = desk.open(`${at}.json`);
    source.text(text);
    source.end();
  });
  return hubReportOf(desk, [], MADE);
}

const FORMS: Readonly<Record<string, (report: HubReport) => string>> = {
  table: (report) => tableLines(report, (_colour, text) => text).join("\n"),
  JSON: jsonText,
  SARIF: sarifText,
  HTML: htmlText,
  Markdown: markdownText,
};

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => value as JsonValue);
const NAMES = [
  ...[
    "deviceId",
    "id",
    "moduleId",
    "properties",
    "desired",
    "reported",
    "modules",
    "systemModules",
  ],
  ...[
    "settings",
    "createOptions",
    "createOptions01",
    "HostConfig",
    "Binds",
    "CapAdd",
    "env",
    "edgeHub",
  ],
  ...[
    "authentication",
    "symmetricKey",
    "primaryKey",
    "x509Thumbprint",
    "category",
    "authType",
    "clients",
  ],
  ...[
    "operationName",
    "runtime",
    "registryCredentials",
    "address",
    "ipFilterRules",
    "ipMask",
    "action",
  ],
  ...[
    "networkRuleSets",
    "tags",
    "SecurityGroup",
    "type",
    "Mounts",
    "loggingOptions",
    "capabilities",
  ],
];
const TEXTS = [
  "$edgeAgent",
  "$edgeHub",
  "Connections",
  "Microsoft.Devices/IotHubs",
  "{",
  "{}",
  "[]",
  '{"a":1}',
  "0.0.0.0/0",
];

/** Objects with the names that readers look for, and any value behind them. */
const odd: fc.Arbitrary<JsonObject> = fc.letrec<{ value: unknown; object: JsonObject }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.oneof(json, fc.constantFrom(...TEXTS)),
    tie("object"),
    fc.array(tie("object"), { maxLength: 3 }),
  ),
  object: fc
    .dictionary(fc.constantFrom(...NAMES), tie("value"), { maxKeys: 6, noNullPrototype: true })
    .map((one) => one as JsonObject),
})).object;

describe("records of any shape", () => {
  it("never stop the judge, and every row has a state that it can explain", () => {
    fc.assert(
      fc.property(
        fc.array(odd, { maxLength: 4 }),
        fc.constantFrom("hub", "identity", "twin", "log", undefined),
        (records, wanted) => {
          const { verdict, skipped } = judged(records, wanted);
          for (const type of Object.values(HUB_CATALOGUE).map((one) => one.type)) {
            const { state, count, missing, evidence } = verdict(type);
            assert.equal(count > 0, state === "unhealthy");
            if (state === "unknown") assert.ok(missing.length > 0);
            const names = new Set(HUB_CATALOGUE[type].evidence);
            for (const name of evidence.flatMap((one) => Object.keys(one)))
              assert.ok(names.has(name), name);
          }
          assert.ok(skipped.records.length <= 50);
        },
      ),
      { numRuns: 80 },
    );
  });

  it("of any text never stop the reading", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.jsonValue(), (text, value) => {
        judgedText(text);
        judgedText(`${JSON.stringify(value)}\n${text}`);
      }),
    );
  });

  it("never stop a reader alone", () => {
    fc.assert(
      fc.property(odd, json, (record, value) => {
        readIdentity(record);
        readConnectionRecord(record);
        readHubSettings(record, () => undefined);
        readCreateOptions(record);
        privilegesOf(record);
        objectOf(value);
        const truth = truthOf(value);
        assert.ok(truth === undefined || typeof truth === "boolean");
        const atMs = timeOf(value);
        assert.ok(atMs === undefined || atMs > 0);
      }),
      { numRuns: 80 },
    );
  });
});

describe("createOptions", () => {
  it("come back from their chunks as they went in, wherever they are cut", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 30 }),
        (options) => {
          if (Object.hasOwn(options, "__proto__")) return;
          const read = readCreateOptions(JSON.parse(JSON.stringify(chunked(options))));
          assert.ok(read.isReadable);
          assert.deepEqual(read.options, JSON.parse(JSON.stringify(options)));
        },
      ),
    );
  });
});

describe("no key", () => {
  const secret = fc
    .stringMatching(/^[A-Za-z0-9+/]{20,44}$/)
    .map((text) => `k3y${text}`)
    .filter((text) => new Set(text).size > 8);

  it("comes out in any format, whichever record holds it and however that is torn", () => {
    fc.assert(
      fc.property(secret, fc.nat(), (key, cut) => {
        const authentication = {
          type: "sas",
          symmetricKey: { primaryKey: key, secondaryKey: `${key}2` },
        };
        const strong = { Env: [`PASSWORD=${key}`], Cmd: [key], HostConfig: { Privileged: true } };
        const press = module("press:1", strong, { env: { TOKEN: { value: key } } });
        const registryCredentials = {
          a: { address: "a.azurecr.io", username: "a", password: key },
        };
        const records = [
          hubResource({ ipFilterRules: [], authorizationPolicies: [{ primaryKey: key }] }),
          exportedDevice("gw-1", { authentication }),
          exportedDevice("gw-2", { authentication }),
          { authentication },
          ...["a", "b", "c"].map((id) =>
            edgeAgentTwin(id, { modules: { press }, registryCredentials }),
          ),
          edgeAgentTwin("d", {
            modules: { press: { ...press, env: { TOKEN: { value: `${key}3` } } } },
          }),
          ...["a", "b", "c", "d"].map((id) => deviceTwin(id)),
          edgeHubTwin("a", {}),
          connectionLog("gw-1", "hub"),
        ];
        const text = records.map((one) => JSON.stringify(one)).join("\n");
        const report = reportOf([
          text,
          text.slice(0, cut % text.length),
          text.slice(cut % text.length),
        ]);
        const shared = report.recommendations.find(({ type }) => type === "IoT_SharedCredentials");
        assert.equal(shared?.state, "unhealthy");
        for (const [name, write] of Object.entries(FORMS)) {
          assert.equal(write(report).includes(key), false, `${name} shows the key`);
        }
      }),
      { numRuns: 12 },
    );
  });

  it("is found by this check where a report does hold one", () => {
    const report = reportOf([JSON.stringify(hubResource({ minTlsVersion: "k3yABCDEFG" }))]);
    for (const write of Object.values(FORMS)) assert.ok(write(report).includes("k3yABCDEFG"));
  });

  it("can be found from its hash: the secret of the hash is another in every run", () => {
    const [one, other] = [createKeyedDigest(), createKeyedDigest()];
    assert.equal(one("key"), one("key"));
    assert.notEqual(one("key"), one("kez"));
    assert.notEqual(one("key"), other("key"));
  });
});

describe("hostile names", () => {
  const hostile = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "| a `b` |",
    "\u001b[31m\u202e",
    "\ud800",
  ];
  const reports = hostile.map((name) =>
    reportOf([
      JSON.stringify([
        hubResource({
          minTlsVersion: null,
          ipFilterRules: [{ filterName: name, action: "Accept", ipMask: "0.0.0.0/0" }],
        }),
        edgeAgentTwin(name, {
          modules: { [name]: module("a", { HostConfig: { Privileged: true } }) },
        }),
        { deviceId: name },
      ]),
    ]),
  );

  it("are no markup in the page, and the page closes what it opens", () => {
    const skeletons = reports.map((report) =>
      [
        ...htmlText(report)
          .replace(/<(script|style)>[\s\S]*?<\/\1>/g, "")
          .matchAll(/<(\/?[a-z0-9]+)/g),
      ]
        .map(([, tag]) => tag)
        .join(),
    );
    assert.equal(new Set(skeletons).size, 1);
  });

  it("leave SARIF valid and a terminal unharmed", () => {
    const validate = sarifValidator();
    for (const report of reports) {
      assert.deepEqual(validate(sarifText(report)), []);
      const lines = tableLines(report, (_colour, text) => text).join("");
      // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
      assert.equal(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/.test(lines), false);
    }
  });
});
