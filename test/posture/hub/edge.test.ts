import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { judged } from "./judged.ts";
import {
  APPLICATION_ID,
  deviceTwin,
  edgeAgentTwin,
  edgeClient,
  edgeHubTwin,
  exportedDevice,
  type Fields,
  hubResource,
  keyOf,
  module,
} from "./records.ts";

const DOCKER = "IoT_PrivilegedDockerOptions";
const REGISTRY = "IoT_ACRAuthentication";
const SETTINGS = "IoT_InconsistentModuleSettings";
const HEADS = "IoT_EdgeHubMemOptimize";
const LOGS = "IoT_EdgeLoggingOptions";

/** One gateway with one module that has these createOptions. */
function options(createOptions: unknown): ReturnType<typeof judged> {
  return judged([edgeAgentTwin("gw-1", { modules: { press: module("press:1", createOptions) } })]);
}

function settings(fields: Fields): ReturnType<typeof judged> {
  const press = { ...module("press:1"), settings: { image: "press:1", ...fields } };
  return judged([edgeAgentTwin("gw-1", { modules: { press } })]);
}

describe("privileges of modules", () => {
  it("are healthy without strong options, and with none at all", () => {
    for (const createOptions of [
      {},
      { HostConfig: { Privileged: false, CapAdd: ["CHOWN"], NetworkMode: "bridge" } },
      {
        HostConfig: {
          Binds: ["/srv/press:/data", "cache:/"],
          Mounts: [{ Type: "volume", Source: "/" }],
        },
      },
      { HostConfig: { CapAdd: null, CapDrop: ["ALL"] } },
    ]) {
      assert.equal(options(createOptions).state(DOCKER), "healthy", JSON.stringify(createOptions));
    }
    assert.equal(settings({}).state(DOCKER), "healthy");
    assert.equal(settings({ createOptions: "" }).state(DOCKER), "healthy");
    assert.equal(settings({ createOptions: null }).state(DOCKER), "healthy");
  });

  const STRONG: readonly (readonly [string, string, unknown])[] = [
    ["HostConfig.Privileged", "true", { HostConfig: { Privileged: true } }],
    ["HostConfig.Privileged", "true", { hostconfig: { privileged: "True" } }],
    ["HostConfig.CapAdd", "CAP_SYS_ADMIN", { HostConfig: { CapAdd: ["CAP_SYS_ADMIN"] } }],
    ["HostConfig.CapAdd", "all", { HostConfig: { CapAdd: ["all"] } }],
    ["HostConfig.CapAdd", "SYS_MODULE", { HostConfig: { CapAdd: { "0": "SYS_MODULE" } } }],
    ["HostConfig.NetworkMode", "host", { HostConfig: { NetworkMode: "host" } }],
    ["HostConfig.PidMode", "host", { HostConfig: { PidMode: "host" } }],
    ["HostConfig.IpcMode", "host", { HostConfig: { IpcMode: "host" } }],
    [
      "NetworkingConfig.EndpointsConfig",
      "host",
      { NetworkingConfig: { EndpointsConfig: { host: {} } } },
    ],
    ["HostConfig.Binds", "/:/host:ro", { HostConfig: { Binds: ["/:/host:ro"] } }],
    [
      "HostConfig.Binds",
      "/var/run/docker.sock:/var/run/docker.sock",
      { HostConfig: { Binds: ["/var/run/docker.sock:/var/run/docker.sock"] } },
    ],
    ["HostConfig.Mounts", "//", { HostConfig: { Mounts: [{ Type: "bind", Source: "//" }] } }],
  ];
  for (const [path, value, createOptions] of STRONG) {
    it(`are unhealthy with ${JSON.stringify(createOptions)}`, () => {
      const { state, evidence } = options(createOptions).verdict(DOCKER);
      assert.equal(state, "unhealthy");
      const jsonPath = `modules.press.settings.createOptions.${path}`;
      assert.deepEqual(evidence, [
        { module: "press", jsonPath, value, devices: "gw-1", count: "1" },
      ]);
    });
  }

  it("are found behind the first 512 characters of split createOptions", () => {
    const long = { Env: [`LONG=${"x".repeat(1_500)}`], HostConfig: { Privileged: true } };
    const press = module("press:1", long);
    assert.ok(Object.hasOwn(Object(press["settings"]), "createOptions02"));
    const { verdict, skipped } = judged([edgeAgentTwin("gw-1", { modules: { press } })]);
    assert.equal(verdict(DOCKER).state, "unhealthy");
    assert.equal(skipped.count, 0);
  });

  it("are unknown without twins, and where a gateway has none", () => {
    const none = judged([hubResource()]).verdict(DOCKER);
    assert.equal(none.state, "unknown");
    assert.match(none.missing[0] ?? "", /\$edgeAgent twins: az iot hub query/);
    const some = judged([edgeAgentTwin("gw-1"), deviceTwin("gw-1"), deviceTwin("gw-2")]);
    assert.equal(some.state(DOCKER), "unknown");
    assert.match(some.verdict(DOCKER).missing[0] ?? "", /1 gateway: gw-2/);
  });

  it("are unknown where createOptions are malformed: counted, skipped and named", () => {
    for (const fields of [
      { createOptions: "{oops" },
      { createOptions: "[]" },
      { createOptions: 7 },
      { createOptions: '{"HostConfig"', createOptions02: ":{}}" },
    ]) {
      const { verdict, skipped } = settings(fields);
      assert.equal(verdict(DOCKER).state, "unknown", JSON.stringify(fields));
      assert.equal(skipped.count, 1);
      assert.equal(skipped.records[0]?.subject, "gw-1/$edgeAgent, module press");
    }
  });

  it("are unhealthy by another module where one is malformed", () => {
    const modules = {
      bad: { ...module("a:1"), settings: { image: "a:1", createOptions: "{oops" } },
      strong: module("b:1", { HostConfig: { Privileged: true } }),
      none: 7,
    };
    const { state, skipped } = judged([edgeAgentTwin("gw-1", { modules })]);
    assert.equal(state(DOCKER), "unhealthy");
    assert.equal(skipped.count, 2);
  });
});

describe("logins at registries", () => {
  function login(credentials: Fields): ReturnType<typeof judged> {
    return judged([edgeAgentTwin("gw-1", { registryCredentials: credentials })]);
  }
  const password = keyOf("registry");

  it("are healthy with a service principal, elsewhere, and without any", () => {
    for (const credentials of [
      {},
      { a: { address: "plant.azurecr.io", username: APPLICATION_ID.toUpperCase(), password } },
      { a: { address: "registry.example.com", username: "plant", password } },
    ]) {
      assert.equal(login(credentials).state(REGISTRY), "healthy");
    }
  });

  it("are unhealthy with any other name, in every cloud of Azure", () => {
    for (const address of [
      "plant.azurecr.io",
      "https://Plant.azurecr.cn/",
      "plant.azurecr.us:443",
    ]) {
      const { state, evidence } = login({ a: { address, username: "plant", password } }).verdict(
        REGISTRY,
      );
      assert.equal(state, "unhealthy", address);
      assert.equal(evidence[0]?.["username"], "plant");
      assert.match(evidence[0]?.["registry"] ?? "", /^plant\.azurecr\.(io|cn|us)$/);
    }
  });

  it("are unknown without twins, and where one has no name: counted, skipped and named", () => {
    assert.equal(judged([hubResource()]).state(REGISTRY), "unknown");
    const { state, skipped } = login({ a: { address: "plant.azurecr.io", password } });
    assert.equal(state(REGISTRY), "unknown");
    assert.match(skipped.records[0]?.subject ?? "", /registryCredentials\.a/);
  });
});

describe("settings of a module within a group", () => {
  function gateway(id: string, press: Fields, tags: Fields = { SecurityGroup: "press" }): object[] {
    return [edgeAgentTwin(id, { modules: { press } }), deviceTwin(id, { tags })];
  }
  const usual = module("press:1", { Env: ["A=1"] }, { env: { MODE: { value: "on" } } });

  it("are healthy where all are equal, but for order, digest and the names' case", () => {
    const same = module(
      "press:1@sha256:0011",
      { Env: ["A=1"] },
      { env: { mode: { value: "on" } } },
    );
    const records = [...gateway("a", usual), ...gateway("b", usual), ...gateway("c", same)];
    const { verdict } = judged(records);
    assert.equal(verdict(SETTINGS).state, "healthy", JSON.stringify(verdict(SETTINGS)));
  });

  it("are unhealthy for a minority, with the paths and no value that may be secret", () => {
    const odd = module(
      "press:0.9",
      { Env: [`PASSWORD=${keyOf("odd")}`] },
      { env: { MODE: { value: "off" }, TOKEN: { value: keyOf("token") } }, restartPolicy: "never" },
    );
    const records = ["a", "b", "c"].flatMap((id) => gateway(id, usual));
    const { verdict } = judged([...records, ...gateway("d", odd)]);
    assert.deepEqual(verdict(SETTINGS).evidence, [
      {
        group: "press",
        module: "press",
        devices: "d",
        count: "1",
        differs:
          "createOptions.Env; env.mode; env.token is there; image press:0.9, most press:1; " +
          "restartPolicy never, most always",
        majority: "3 of 4 gateways",
      },
    ]);
  });

  it("count every variant where there are more than a verdict lists", () => {
    const ids = Array.from({ length: 90 }, (_, at) => String(at + 100));
    const records = ids.flatMap((id, at) => gateway(id, at < 50 ? usual : module(`press:${id}`)));
    const { count, evidence } = judged(records).verdict(SETTINGS);
    assert.equal(count, 40);
    assert.equal(evidence.length, 32);
  });

  it("are healthy where no settings have the majority, and where groups differ", () => {
    const other = module("press:2");
    const half = [
      ...gateway("a", usual),
      ...gateway("b", usual),
      ...gateway("c", other),
      ...gateway("d", other),
    ];
    assert.equal(judged(half).state(SETTINGS), "healthy");
    const groups = ["a", "b", "c"].flatMap((id) => gateway(id, usual));
    const apart = ["d", "e", "f"].flatMap((id) => gateway(id, other, { SecurityGroup: "pack" }));
    assert.equal(judged([...groups, ...apart]).state(SETTINGS), "healthy");
  });

  it("put a gateway without the tag into the group default", () => {
    const records = ["a", "b", "c"].flatMap((id) => gateway(id, usual, {}));
    const { verdict } = judged([...records, ...gateway("d", module("press:9"), { other: 1 })]);
    assert.equal(verdict(SETTINGS).evidence[0]?.["group"], "default");
  });

  it("are unknown without tags, without twins, and in groups below three", () => {
    const alone = ["a", "b", "c"].map((id) => edgeAgentTwin(id));
    assert.match(judged(alone).verdict(SETTINGS).missing[0] ?? "", /tags of 3 gateways/);
    assert.equal(judged([hubResource()]).state(SETTINGS), "unknown");
    const two = judged([...gateway("a", usual), ...gateway("b", module("press:9"))]);
    assert.match(two.verdict(SETTINGS).missing[0] ?? "", /none is large enough/);
  });

  it("take tags from an export of identities too", () => {
    const tags = { SecurityGroup: "press" };
    const records = ["a", "b", "c"].flatMap((id) => [
      edgeAgentTwin(id),
      exportedDevice(id, { tags, capabilities: { iotEdge: true } }),
    ]);
    assert.equal(judged(records).state(SETTINGS), "healthy");
  });
});

describe("protocol heads of the edge hub", () => {
  const now = "2026-01-15T11:00:00Z";
  const old = "2026-01-02T11:00:00Z";

  function heads(env: Fields, clients: Fields | undefined): ReturnType<typeof judged> {
    const hubTwin = clients === undefined ? [] : [edgeHubTwin("gw-1", clients)];
    return judged([edgeAgentTwin("gw-1", { env }), ...hubTwin]);
  }
  const only = (name: string): Fields =>
    Object.fromEntries(
      ["amqp", "mqtt", "http"]
        .filter((one) => one !== name)
        .map((one) => [`${one}Settings__enabled`, { value: "false" }]),
    );

  it("are healthy where none is on, or the only one has a client", () => {
    assert.equal(heads(only(""), {}).state(HEADS), "healthy");
    const clients = { "gw-1/press": edgeClient("Connected", now) };
    assert.equal(heads(only("mqtt"), clients).state(HEADS), "healthy");
  });

  it("are unhealthy where there are fewer clients than heads", () => {
    const one = heads({}, { "gw-1/press": edgeClient("Connected", old) }).verdict(HEADS);
    assert.equal(one.state, "unhealthy");
    assert.deepEqual(one.evidence, [
      {
        enabledHeads: "amqp, mqtt, http",
        clients: "1",
        unusedHeads: "1 of amqp, mqtt",
        devices: "gw-1",
        count: "1",
      },
    ]);
    const none = heads({}, { "gw-1/press": edgeClient("Disconnected", old) }).verdict(HEADS);
    assert.equal(none.evidence[0]?.["unusedHeads"], "amqp, mqtt");
  });

  it("are read with the names of variables in any case, and values as text or truth", () => {
    const env = {
      AMQPSETTINGS__ENABLED: { value: "False" },
      httpSettings__Enabled: { value: false },
    };
    const clients = { "gw-1/press": edgeClient("Connected", now) };
    assert.equal(heads(env, clients).state(HEADS), "healthy");
  });

  it("are unknown where clients may use any of them, and say where to look", () => {
    const clients = {
      "gw-1/press": edgeClient("Connected", now),
      "gw-1/pack": edgeClient("Disconnected", now),
    };
    const { state, missing } = heads({}, clients).verdict(HEADS);
    assert.equal(state, "unknown");
    assert.match(missing[0] ?? "", /5671, 8883, 443/);
  });

  it("are unknown without the twin of the edge hub, and without twins", () => {
    assert.match(heads({}, undefined).verdict(HEADS).missing[0] ?? "", /\$edgeHub twin/);
    assert.equal(judged([hubResource()]).state(HEADS), "unknown");
  });
});

describe("logging of modules", () => {
  it("is healthy with a driver, and with the engine's own", () => {
    const local = { HostConfig: { LogConfig: { Type: "local", Config: { "max-size": "10m" } } } };
    assert.equal(options(local).state(LOGS), "healthy");
    assert.equal(options({}).state(LOGS), "healthy");
  });

  it("is unhealthy with the driver none, by the module or by the runtime", () => {
    const own = options({ HostConfig: { LogConfig: { Type: "none", Config: {} } } }).verdict(LOGS);
    assert.deepEqual(own.evidence, [
      {
        module: "press",
        jsonPath: "modules.press.settings.createOptions.HostConfig.LogConfig.Type",
        driver: "none",
        devices: "gw-1",
        count: "1",
      },
    ]);
    const loggingOptions = JSON.stringify({ type: "None", config: {} });
    const byRuntime = judged([edgeAgentTwin("gw-1", { loggingOptions })]).verdict(LOGS);
    assert.equal(byRuntime.count, 3);
    assert.equal(byRuntime.evidence[0]?.["jsonPath"], "runtime.settings.loggingOptions");
  });

  it("is unknown without twins, and where options are malformed: counted, skipped and named", () => {
    assert.equal(judged([hubResource()]).state(LOGS), "unknown");
    const { state, skipped } = judged([edgeAgentTwin("gw-1", { loggingOptions: "{oops" })]);
    assert.equal(state(LOGS), "unknown");
    assert.equal(skipped.records[0]?.subject, "gw-1/$edgeAgent, runtime.settings.loggingOptions");
  });
});

describe("twins", () => {
  it("that are malformed are counted, skipped and named", () => {
    const { skipped, facts } = judged(
      [
        edgeAgentTwin("gw-1"),
        { deviceId: "gw-2", moduleId: "$edgeAgent", properties: { desired: "none" } },
        { moduleId: "$edgeAgent", properties: {} },
      ],
      "twin",
    );
    assert.equal(facts.edge.deployments.length, 1);
    assert.deepEqual(
      skipped.records.map(({ subject }) => subject),
      ["gw-2/$edgeAgent (line 2)", "line 3"],
    );
  });

  it("of equal modules are one object, however many gateways have them", () => {
    const { facts } = judged(["a", "b", "c"].map((id) => edgeAgentTwin(id)));
    const [first, second] = facts.edge.deployments;
    assert.equal(first?.modules[0], second?.modules[0]);
  });

  it("of all gateways, with no edge twin among them, leave nothing to be wrong", () => {
    const { state } = judged([
      exportedDevice("a", { capabilities: { iotEdge: false } }),
      hubResource(),
    ]);
    assert.equal(state(DOCKER), "unknown");
  });
});
