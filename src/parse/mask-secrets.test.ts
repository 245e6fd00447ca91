import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { maskArguments, maskText } from "./mask-secrets.ts";

const SECRET = "Hunter2-Zx9";

/** Commands with a secret in them: what must come out. */
const MASKED: readonly (readonly [string, string])[] = [
  [`backup --password ${SECRET} /srv`, "backup --password *** /srv"],
  [`backup --password=${SECRET}`, "backup --password=***"],
  [`backup -password ${SECRET}`, "backup -password ***"],
  [`env PGPASSWORD=${SECRET} psql -h db`, "env PGPASSWORD=*** psql -h db"],
  [`env MY_API_KEY=${SECRET} run`, "env MY_API_KEY=*** run"],
  [`tool --client-secret ${SECRET}`, "tool --client-secret ***"],
  [`tool --db.token=${SECRET}`, "tool --db.token=***"],
  [`mysql -uroot -p${SECRET} shop`, "mysql -uroot -p*** shop"],
  [`/usr/bin/sshpass -p ${SECRET} ssh ops@gw`, "/usr/bin/sshpass -p *** ssh ops@gw"],
  [`curl -u ops:${SECRET} https://example.org`, "curl -u ops:*** https://example.org"],
  [`curl --password ${SECRET} https://example.org`, "curl --password *** https://example.org"],
  [`curl -uops:${SECRET} https://example.org`, "curl -uops:*** https://example.org"],
  [`mosquitto_pub -u gw -P ${SECRET} -t a`, "mosquitto_pub -u gw -P *** -t a"],
  [`redis-cli -a ${SECRET} ping`, "redis-cli -a *** ping"],
  [
    `git clone https://ops:${SECRET}@example.org/x.git`,
    "git clone https://ops:***@example.org/x.git",
  ],
  [
    `az iot --connection HostName=h.example;DeviceId=d;SharedAccessKey=${SECRET}`,
    "az iot --connection HostName=h.example;DeviceId=d;SharedAccessKey=***",
  ],
  [`get https://x.example/a?sv=1&sig=${SECRET}&se=2`, "get https://x.example/a?sv=1&sig=***&se=2"],
  ["aws AKIAIOSFODNN7EXAMPLE", "aws ***"],
];

const UNTOUCHED: readonly string[] = [
  "ssh -p 2222 ops@gateway",
  "passwd ops",
  "tool --password-file /etc/pw --no-password",
  "tool --token-ttl 30",
  "mysql -p shop",
  "ls --author=ops",
  "compass --keyboard us",
  "curl -u ops https://example.org/pass/word",
  "grep -r password /etc",
  "mkdir -p /srv/data",
];

describe("maskArguments", () => {
  for (const [command, expected] of MASKED) {
    it(`masks ${command.replaceAll(SECRET, "…")}`, () => {
      assert.equal(maskArguments(command.split(" ")).join(" "), expected);
    });
  }

  for (const command of UNTOUCHED) {
    it(`leaves ${command} as it is`, () => {
      assert.equal(maskArguments(command.split(" ")).join(" "), command);
    });
  }

  it("masks values with spaces in them", () => {
    assert.deepEqual(maskArguments(["x", "--password", "a b c", "d"]), [
      "x",
      "--password",
      "***",
      "d",
    ]);
    assert.deepEqual(maskArguments(["curl", "-H", "Authorization: Bearer abc.def.ghi"]), [
      "curl",
      "-H",
      "Authorization: Bearer ***",
    ]);
  });

  it("does not take an option for the value of the one before it", () => {
    assert.deepEqual(maskArguments(["x", "--password", "--host", "h"]), [
      "x",
      "--password",
      "--host",
      "h",
    ]);
  });

  it("adds the patterns of the settings", () => {
    assert.deepEqual(maskArguments(["x", "pin 1234 pin"], [/\d{4}/g]), ["x", "pin *** pin"]);
  });

  it("never shows a secret behind a secret's name, whatever stands around it", () => {
    const name = fc.constantFrom("--password", "--token", "--api-key", "--secret", "--db-passwd");
    const word = fc.stringMatching(/^[a-z0-9/.]{1,12}$/);
    const secret = fc.stringMatching(/^[A-Z0-9]{16}Q$/);
    fc.assert(
      fc.property(
        fc.array(word),
        name,
        secret,
        fc.boolean(),
        fc.array(word),
        (a, key, s, glued, b) => {
          const option = glued ? [`${key}=${s}`] : [key, s];
          const masked = maskArguments(["prog", ...a, ...option, ...b]).join(" ");
          assert.ok(!masked.includes(s), masked);
        },
      ),
    );
  });

  it("takes any text in bounded time", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 200 }), { maxLength: 20 }), (args) => {
        assert.equal(maskArguments(args).length, args.length);
      }),
    );
    const long = "a:".repeat(50_000);
    assert.equal(maskText(long), long);
  });
});
