import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runTerminalLine } from "../../src/localhub/hub-terminal.ts";
import { type HubBench, MODULE, withHub } from "./hub-bench.ts";
import { publishPacket } from "./raw-client.ts";

const OBJECT = "ms_iotn:urn_azureiot_Security_SecurityAgentConfiguration";

async function say(bench: HubBench, line: string): Promise<string> {
  return (await runTerminalLine(bench.hub, line)).lines.join("\n");
}

describe("the terminal of a hub", () => {
  it(
    "lists its commands and ignores empty lines",
    withHub(async (bench) => {
      const help = await say(bench, "help");
      for (const name of [
        "twin",
        "set",
        "unset",
        "patch",
        "replace",
        "call",
        "messages",
        "fault",
        "quit",
      ]) {
        assert.match(help, new RegExp(`^  ${name}\\b`, "m"));
      }
      assert.equal(await say(bench, "   "), "");
    }),
  );

  it(
    "suggests the nearest command or fault",
    withHub(async (bench) => {
      assert.match(
        await say(bench, "conections"),
        /no command 'conections'; did you mean connections\?/,
      );
      assert.match(await say(bench, "xyzzy"), /try: help/);
      assert.match(await say(bench, "constructor"), /no command/);
      assert.match(await say(bench, "fault throtle"), /did you mean throttle\?/);
      assert.match(await say(bench, "fault toString"), /no fault/);
    }),
  );

  it(
    "sets and unsets properties of the security configuration",
    withHub(async (bench) => {
      assert.equal(
        await say(bench, "set snapshotFrequency PT1M"),
        'desired version 2: snapshotFrequency is "PT1M"',
      );
      await say(bench, "  set   maxMessageSizeInBytes   8192  ");
      await say(bench, 'set eventPriorityLogin "Off"');
      assert.deepEqual(bench.hub.twin().desired[OBJECT], {
        snapshotFrequency: { value: "PT1M" },
        maxMessageSizeInBytes: { value: 8_192 },
        eventPriorityLogin: { value: "Off" },
      });
      assert.equal(
        await say(bench, "unset snapshotFrequency"),
        "desired version 5: snapshotFrequency deleted",
      );
      const twin = JSON.parse(await say(bench, "twin"));
      assert.deepEqual(twin.desired[OBJECT].snapshotFrequency, undefined);
      assert.equal(twin.desired.$metadata, undefined);
      assert.equal(twin.desired.$version, 5);
      assert.match(await say(bench, "set snapshotFrequency"), /usage: set/);
      assert.match(await say(bench, "unset"), /usage: unset/);
    }),
  );

  it(
    "patches and replaces with JSON, and says what is wrong with it",
    withHub(async (bench) => {
      assert.equal(await say(bench, 'patch {"a": {"b": 1}, "c": 2}'), "desired version 2");
      assert.equal(await say(bench, 'replace {"a": {"x": 1}}'), "desired version 3");
      const { $metadata: _, ...desired } = bench.hub.twin().desired;
      assert.deepEqual(desired, { a: { x: 1 }, $version: 3 });
      assert.match(await say(bench, "patch {broken"), /^patch: not JSON/);
      assert.match(await say(bench, "replace [1]"), /not an object/);
      assert.match(await say(bench, 'patch {"a.b": 1}'), /key holds/);
      assert.equal(bench.hub.twin().desired["$version"], 3);
    }),
  );

  it(
    "calls methods and shows their answer or why there is none",
    withHub(async (bench) => {
      assert.match(await say(bench, "call status"), /not connected/);
      const client = await bench.enter();
      await client.subscribe(["$iothub/methods/POST/#"]);
      const answered = say(bench, 'call collect {"of": ["ports"]}');
      const { topic, payload } = await client.nextPublish();
      assert.match(topic, /POST\/collect\//);
      assert.equal(payload, '{"of":["ports"]}');
      client.send(
        publishPacket(`$iothub/methods/res/200/?$rid=${topic.split("$rid=")[1]}`, '{"a":1}'),
      );
      assert.equal(await answered, 'status 200\n{\n  "a": 1\n}');
      assert.match(await say(bench, "call"), /usage: call/);
      assert.match(await say(bench, "call x {broken"), /^payload: /);
    }),
  );

  it(
    "shows connections",
    withHub(async (bench) => {
      assert.equal(await say(bench, "connections"), "nobody is connected");
      await bench.enter();
      assert.match(
        await say(bench, "connections"),
        /^gw1\/azureiotsecurity from 127\.0\.0\.1:\d+, TLSv1\.3, mqtt/,
      );
    }),
  );

  it(
    "turns messages off, on and full, and ends",
    withHub(async (bench) => {
      assert.equal((await runTerminalLine(bench.hub, "messages full")).messages, "full");
      assert.match(await say(bench, "messages loud"), /usage: messages/);
      assert.equal((await runTerminalLine(bench.hub, "quit")).isQuit, true);
    }),
  );

  it(
    "makes every fault it lists",
    withHub(async (bench) => {
      const listed = (await say(bench, "fault"))
        .split("\n")
        .map((line) => line.trim().split(/[ :]/)[1]);
      const given: Readonly<Record<string, string>> = {
        "delay-suback": "10",
        certificate: "expired",
        race: '{"a":1}',
        raw: "{broken and more",
      };
      assert.ok(listed.length >= 14);
      for (const name of listed) {
        const line = `fault ${name} ${given[name ?? ""] ?? ""}`.trim();
        assert.match(await say(bench, line), /: done$/, line);
      }
      assert.match(await say(bench, "fault throttle many"), /no whole number/);
      assert.match(await say(bench, "fault certificate bad"), /expected own/);
      assert.match(await say(bench, "fault withhold-puback maybe"), /expected on or off/);
      assert.match(await say(bench, "fault race {"), /patch: /);
    }),
  );

  it(
    "forgets sessions and cuts connections, so that a client notices",
    withHub(async (bench) => {
      const client = await bench.enter(MODULE, { isClean: false });
      await say(bench, "fault lose-sessions");
      await client.closed();
      const back = await bench.knock(MODULE, { isClean: false });
      assert.deepEqual(await back.connack(), { code: 0, isPresent: false });
    }),
  );
});
