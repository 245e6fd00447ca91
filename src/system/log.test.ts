import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { createLog, type LogLevel, type LogOptions } from "./log.ts";
import type { ClosableLog } from "./log-repeats.ts";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const MASK = "[masked: looks like a secret]";

interface Written {
  readonly log: ClosableLog;
  readonly lines: readonly string[];
  readonly clock: FakeClock;
  objects(): readonly Readonly<Record<string, unknown>>[];
}

function collecting(level: LogLevel = "debug", format: LogOptions["format"] = "json"): Written {
  const lines: string[] = [];
  const clock = new FakeClock();
  const destination = { write: (line: string) => lines.push(line) };
  const log = createLog({ level, format, destination, clock });
  return { log, lines, clock, objects: () => lines.map((line) => JSON.parse(line)) };
}

describe("a log line", () => {
  it("is JSON: level, time, fields, then the message, and nothing else", () => {
    const { log, lines } = collecting();
    log.info(
      { collector: "logins", events: 3, isFull: false, absent: undefined },
      "snapshot taken",
    );
    const line = lines[0] ?? "";
    assert.deepEqual(Object.keys(JSON.parse(line)), [
      "level",
      "time",
      "collector",
      "events",
      "isFull",
      "msg",
    ]);
    assert.match(line, /"level":"info","time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/);
    assert.match(line, /"msg":"snapshot taken"\}\n$/);
  });

  it("is written at its level and above", () => {
    const counts = (["error", "warn", "info", "debug", "silent"] as const).map((level) => {
      const { log, lines } = collecting(level);
      log.error({}, "a");
      log.warn({}, "b");
      log.info({}, "c");
      log.debug({}, "d");
      return lines.length;
    });
    assert.deepEqual(counts, [1, 2, 3, 4, 0]);
  });

  it("cuts text fields at 300 characters", () => {
    const { log, objects } = collecting();
    log.info({ text: "x".repeat(100_000) }, "m".repeat(1000));
    assert.equal(String(objects()[0]?.["text"]).length, 300);
    assert.equal(String(objects()[0]?.["msg"]).length, 300);
  });

  it("keeps its own names when a field has one of them", () => {
    const { log, objects } = collecting();
    log.warn({ level: "x", time: "y", msg: "z" }, "real");
    const [line] = objects();
    assert.deepEqual([line?.["level"], line?.["msg"], line?.["level_"]], ["warn", "real", "x"]);
  });
});

describe("the safety net of the log", () => {
  const secrets = [
    "HostName=h.azure-devices.net;DeviceId=d;SharedAccessKey=c2VjcmV0",
    "sharedaccesskey = c2VjcmV0",
    "SharedAccessKey%3Dc2VjcmV0",
    "SharedAccessSignature sr=h&sig=c2VjcmV0&se=1",
    "https://x.blob/y?sv=1&sig=c2VjcmV0",
    "SIG%3dc2VjcmV0",
    "-----BEGIN PRIVATE KEY-----\nc2VjcmV0",
    "-----BEGIN RSA PRIVATE KEY-----c2VjcmV0",
    "-----BEGIN ENCRYPTED PRIVATE KEY-----c2VjcmV0",
    `${"x".repeat(280)}SharedAccessKey=c2VjcmV0`,
  ];
  for (const [at, secret] of secrets.entries()) {
    it(`masks secret ${at + 1} in a field and in the message, in both formats`, () => {
      for (const format of ["json", "text"] as const) {
        const { log, lines } = collecting("debug", format);
        log.error({ detail: secret }, "connection failed");
        log.info({}, secret);
        assert.equal(lines.length, 2);
        for (const line of lines) {
          assert.ok(!line.includes("c2VjcmV0"), line);
          assert.ok(line.includes(MASK), line);
        }
      }
    });
  }

  it("never lets a key through, whatever surrounds it", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400 }), fc.string({ maxLength: 50 }), (before, after) => {
        const { log, lines } = collecting();
        log.info({ detail: `${before}SharedAccessKey=c2VjcmV0${after}` }, "x");
        assert.ok(!(lines[0] ?? "").includes("c2VjcmV0"));
      }),
    );
  });

  it("leaves ordinary text alone", () => {
    const { log, objects } = collecting();
    log.info({ detail: "the design=2 of BEGIN CERTIFICATE, SharedAccessKeyName=owner" }, "x");
    assert.equal(
      objects()[0]?.["detail"],
      "the design=2 of BEGIN CERTIFICATE, SharedAccessKeyName=owner",
    );
  });
});

describe("a repeated warning", () => {
  it("is written once, then counted when its ten minutes are over", async () => {
    const { log, clock, objects } = collecting();
    for (let count = 1; count <= 5; count += 1)
      log.warn({ collector: "x", durationMs: count }, "slow");
    assert.equal(objects().length, 1);
    await clock.advance(600_000);
    log.debug({}, "anything");
    assert.equal(objects().length, 3);
    const counted = objects()[1];
    assert.deepEqual([counted?.["repeated"], counted?.["durationMs"]], [4, 5]);
    assert.deepEqual([counted?.["msg"], counted?.["level"]], ["slow", "warn"]);
    assert.equal(clock.armed, 0);
  });

  it("that goes on is counted every ten minutes and loses none", async () => {
    const { log, clock, objects } = collecting();
    for (let minute = 0; minute < 60; minute += 1) {
      log.error({ collector: "x" }, "failed");
      await clock.advance(60_000);
    }
    log.close();
    const lines = objects().filter((line) => line["msg"] === "failed");
    const repeated = lines.map((line) => Number(line["repeated"] ?? 0));
    assert.equal(repeated.reduce((sum, count) => sum + count, 0) + 1, 60);
    assert.ok(lines.length >= 6 && lines.length <= 8, `${lines.length} lines`);
  });

  it("is new again after a quiet time", async () => {
    const { log, clock, objects } = collecting();
    log.warn({}, "lost");
    await clock.advance(600_000);
    log.warn({}, "lost");
    assert.deepEqual(
      objects().map((line) => line["repeated"]),
      [undefined, undefined],
    );
  });

  it("differs by level, message, text and flags, not by numbers", () => {
    const { log, objects } = collecting();
    log.warn({ path: "/a", count: 1, isX: true }, "m");
    log.warn({ count: 2, isX: true, path: "/a" }, "m");
    assert.equal(objects().length, 1);
    log.error({ path: "/a", count: 1, isX: true }, "m");
    log.warn({ path: "/b", count: 1, isX: true }, "m");
    log.warn({ path: "/a", count: 1, isX: false }, "m");
    log.warn({ path: "/a", count: 1, isX: true }, "n");
    assert.equal(objects().length, 5);
  });

  it("is counted at the end, once", () => {
    const { log, objects } = collecting();
    log.warn({}, "lost");
    log.warn({}, "lost");
    log.close();
    log.close();
    assert.deepEqual(
      objects().map((line) => line["repeated"]),
      [undefined, 1],
    );
  });

  it("is remembered within bounds, and a forgotten one loses no count", () => {
    const { log, objects } = collecting();
    log.warn({ path: "first" }, "m");
    log.warn({ path: "first" }, "m");
    for (let at = 0; at < 300; at += 1) log.warn({ path: `p${at}` }, "m");
    const counted = objects().filter((line) => line["repeated"] !== undefined);
    assert.deepEqual(
      counted.map((line) => [line["path"], line["repeated"]]),
      [["first", 1]],
    );
  });

  it("concerns neither info nor debug", () => {
    const { log, lines } = collecting();
    log.info({}, "same");
    log.info({}, "same");
    assert.equal(lines.length, 2);
  });
});

describe("the readable format", () => {
  it("is one line: time, level, message, fields", () => {
    const { log, lines } = collecting("debug", "text");
    log.warn({ collector: "logins", lost: 3, path: "/var/log/a b" }, "events lost");
    assert.match(
      lines[0] ?? "",
      /^\d\d:\d\d:\d\d\.\d{3} WARN {2}events lost {2}collector=logins lost=3 path="\/var\/log\/a b"\n$/,
    );
  });

  it("lets no text break the line or command the terminal", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.string({
            unit: fc.constantFrom(
              "\u001b",
              "[31m",
              "\n",
              "\r",
              "\u009b",
              "\u2028",
              "\u202e",
              "\u007f",
              "\0",
              '"',
            ),
          }),
        ),
        (text) => {
          const { log, lines } = collecting("debug", "text");
          log.info({ command: text }, text);
          const line = lines[0] ?? "";
          assert.equal(line.indexOf("\n"), line.length - 1);
          assert.doesNotMatch(
            line.slice(0, -1),
            // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what must be absent
            /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/,
          );
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("a process that logs", () => {
  function run(script: string, variables: Record<string, string> = {}, command = process.execPath) {
    const source = `import { createLog } from ${JSON.stringify(`${REPOSITORY}src/system/log.ts`)};${script}`;
    const args = ["--import", "tsx", "--input-type=module", "--eval", source];
    return spawnSync(command, args, {
      cwd: REPOSITORY,
      encoding: "utf8",
      timeout: 30_000,
      maxBuffer: 64 * 1024 * 1024,
      env: { PATH: process.env["PATH"], ...variables },
    });
  }

  it("loses nothing at exit, into a pipe, and writes JSON to stderr", () => {
    const child = run(`
      const log = createLog({ level: "info" });
      for (let n = 0; n < 3000; n += 1) log.info({ n, pad: "x".repeat(200) }, "line");
      process.exit(0);
    `);
    const lines = child.stderr.trimEnd().split("\n");
    assert.equal(child.stdout, "");
    assert.equal(lines.length, 3000);
    assert.equal(JSON.parse(lines[2999] ?? "").n, 2999);
  });

  it("survives a reader that has gone", () => {
    const child = spawnSync(
      "/bin/sh",
      [
        "-c",
        '"$0" --import tsx --input-type=module --eval "$1" | head -n 1',
        process.execPath,
        `import { createLog } from ${JSON.stringify(`${REPOSITORY}src/system/log.ts`)};
         const log = createLog({ level: "info", destination: "stdout" });
         for (let n = 0; n < 3000; n += 1) log.info({ n, pad: "x".repeat(200) }, "line");
         process.stderr.write("survived");`,
      ],
      { cwd: REPOSITORY, encoding: "utf8", timeout: 30_000 },
    );
    assert.equal(child.stderr, "survived");
  });
});
