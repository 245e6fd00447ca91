import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { AgentError } from "../../src/contract/errors.ts";
import { parseConnectionString } from "../../src/transport/identity/hub-identity.ts";
import {
  passwordOf,
  renewalDelayMs,
  userNameOf,
} from "../../src/transport/identity/hub-password.ts";
import { deriveDeviceKey, expiryOfSas, signSas } from "../../src/transport/identity/sas.ts";
import { FakeClock } from "../support/fake-clock.ts";

const KEY = Buffer.from("0123456789abcdef0123456789abcdef").toString("base64");
const GOOD = `HostName=hub.azure-devices.net;DeviceId=gw1;ModuleId=azureiotsecurity;SharedAccessKey=${KEY}`;

function messageOf(text: string, files = {}): string {
  try {
    parseConnectionString(text, files);
  } catch (error) {
    assert.ok(error instanceof AgentError);
    assert.equal(error.code, "AGENT_IDENTITY_INVALID");
    return `${error.message} | ${error.remedy}`;
  }
  return "accepted";
}

describe("a connection string", () => {
  it("names hub, device, module and key", () => {
    const identity = parseConnectionString(`${GOOD}\n`);
    assert.deepEqual(identity, {
      hostName: "hub.azure-devices.net",
      dialHost: "hub.azure-devices.net",
      dialPort: undefined,
      hasGateway: false,
      deviceId: "gw1",
      moduleId: "azureiotsecurity",
      credential: { kind: "key", keyBase64: KEY },
    });
  });

  it("may carry ports and a gateway, and the hub's name stays the hub's", () => {
    const ported = parseConnectionString(GOOD.replace(".net", ".net:18883"));
    assert.deepEqual([ported.hostName, ported.dialPort], ["hub.azure-devices.net", 18_883]);
    const gateway = parseConnectionString(`${GOOD};GatewayHostName=[fd00::1]:8884`);
    assert.equal(gateway.hostName, "hub.azure-devices.net");
    assert.deepEqual([gateway.dialHost, gateway.dialPort], ["fd00::1", 8_884]);
  });

  it("that misses a part is refused by the part's name", () => {
    for (const part of ["HostName", "DeviceId", "SharedAccessKey"]) {
      const without = GOOD.split(";").filter((piece) => !piece.startsWith(`${part}=`));
      assert.match(messageOf(without.join(";")), new RegExp(`${part} is missing`));
    }
    assert.match(messageOf(`${GOOD};DeviceId=again`), /DeviceId is in the connection string twice/);
    assert.match(messageOf(`${GOOD};SharedAccessKeyName=owner`), /service policy/);
    assert.match(messageOf(GOOD.replace("gw1", "a#b")), /DeviceId has characters/);
    assert.match(messageOf(GOOD.replace("hub.azure", "hub/azure")), /HostName is not a host name/);
    assert.match(messageOf(`${GOOD};Hostname=x`), /unknown part \(HostName in other letter case\)/);
    const x509 = "HostName=h;DeviceId=d;x509=true";
    assert.match(messageOf(x509), /needs a certificate file/);
    assert.equal(messageOf(x509, { certificateFile: "/c", keyFile: "/k" }), "accepted");
  });

  it("never shows its key, however it is mangled", () => {
    fc.assert(
      fc.property(fc.nat(GOOD.length), fc.constantFrom(";", "=", " ", "", "!"), (at, piece) => {
        const mangled = GOOD.slice(0, at) + piece + GOOD.slice(at + 1);
        const message = messageOf(mangled);
        for (let from = 0; from + 8 <= KEY.length; from += 1) {
          assert.ok(!message.includes(KEY.slice(from, from + 8)), message);
        }
      }),
    );
  });

  it("of any text is refused or accepted, nothing else", () => {
    fc.assert(fc.property(fc.string(), (text) => messageOf(text).length > 0));
  });
});

describe("credentials", () => {
  it("sign as the service documents: HMAC-SHA256 over resource and expiry", () => {
    const token = signSas({
      resource: "h/devices/d!",
      keyBase64: KEY,
      expirySeconds: 1_700_000_000,
    });
    const signed = "h%2Fdevices%2Fd%21\n1700000000";
    const hmac = createHmac("sha256", Buffer.from(KEY, "base64")).update(signed).digest("base64");
    assert.equal(
      token,
      `SharedAccessSignature sr=h%2Fdevices%2Fd%21&sig=${encodeURIComponent(hmac)}&se=1700000000`,
    );
    assert.equal(expiryOfSas(token), 1_700_000_000);
  });

  it("derive a group's device key as the service documents", () => {
    // The example of the documentation: group key and registration id, derived with openssl.
    const group =
      "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==";
    assert.equal(
      deriveDeviceKey(group, "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6"),
      "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=",
    );
  });

  it("make a fresh token per connection, and renew it in its last quarter", () => {
    const identity = parseConnectionString(GOOD);
    const clock = new FakeClock({ startMs: 1_700_000_000_000 });
    const password = passwordOf(identity, clock, 3_600_000);
    assert.equal(password.expiresAtMs, 1_700_003_600_000);
    assert.match(password.text ?? "", /sr=hub.azure-devices.net%2Fdevices%2Fgw1%2Fmodules%2Fazure/);
    assert.equal(renewalDelayMs(3_600_000, 0), 2_700_000);
    assert.ok(renewalDelayMs(3_600_000, 0.999) < 3_600_000 * 0.9);
  });

  it("name the hub, the api version, the model and the agent in the user name", () => {
    const identity = parseConnectionString(`${GOOD};GatewayHostName=edge`);
    assert.equal(
      userNameOf(identity, "0.1.0", "dtmi:a:b;1"),
      "hub.azure-devices.net/gw1/azureiotsecurity/?api-version=2021-04-12&model-id=dtmi:a:b;1" +
        "&DeviceClientType=gatewarden%2F0.1.0",
    );
  });
});
