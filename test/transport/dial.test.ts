import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { createSecureContext, rootCertificates } from "node:tls";
import fc from "fast-check";
import { dial } from "../../src/transport/dial.ts";
import { authorityOf, type DialTarget, parseAuthority } from "../../src/transport/dial-target.ts";
import { FaultError, faultOfDialError } from "../../src/transport/fault.ts";
import { refusalOf } from "../../src/transport/proxy-connect.ts";
import { testCertificates } from "../contract/mosquitto-bench.ts";
import { startProxy, startTlsEnd } from "../support/doors.ts";

const never = new AbortController().signal;

async function contextTrusting(caPem: string, client = {}) {
  return createSecureContext({
    ca: [...rootCertificates, caPem],
    minVersion: "TLSv1.2",
    ...client,
  });
}

async function faultOf(dialling: Promise<unknown>): Promise<string> {
  try {
    await dialling;
    return "connected";
  } catch (error) {
    const reason = faultOfDialError(error, { address: "a", isClockSynchronised: undefined });
    return `${reason.fault}: ${reason.detail}`;
  }
}

/** Dials and waits for the server's first bytes. */
async function greeted(target: DialTarget): Promise<void> {
  const stream = await dial(target, never);
  await once(stream, "data");
  stream.destroy();
}

describe("dialling", () => {
  it("sends the host name as server name, and none for an address", async () => {
    const { authority, good } = await testCertificates();
    const end = await startTlsEnd(good);
    const secureContext = await contextTrusting(authority.caPem);
    for (const host of ["localhost", "127.0.0.1"]) {
      await greeted({ host, port: end.port, secureContext });
    }
    assert.deepEqual(end.serverNames, ["localhost", false]);
    await end.close();
  });

  it("verifies the name for names and for addresses", async () => {
    const { authority, bad } = await testCertificates();
    const end = await startTlsEnd(bad["other-host"]);
    const secureContext = await contextTrusting(authority.caPem);
    for (const host of ["localhost", "127.0.0.1"]) {
      const told = await faultOf(dial({ host, port: end.port, secureContext }, never));
      assert.match(told, /^tls: .*another host name/);
    }
    await end.close();
  });

  it("refuses a server that has nothing newer than TLS 1.1", async () => {
    const { authority, good } = await testCertificates();
    const end = await startTlsEnd(good, { maxVersion: "TLSv1.1" });
    const secureContext = await contextTrusting(authority.caPem);
    const told = await faultOf(dial({ host: "localhost", port: end.port, secureContext }, never));
    assert.match(told, /^tls: /);
    await end.close();
  });

  it("shows its client certificate", async () => {
    const { authority, good } = await testCertificates();
    const end = await startTlsEnd(good, { caPem: authority.caPem });
    const mine = await authority.issue({ commonName: "gw1" });
    const client = { cert: mine.certificatePem, key: mine.keyPem };
    const secureContext = await contextTrusting(authority.caPem, client);
    await greeted({ host: "localhost", port: end.port, secureContext });
    assert.deepEqual(end.clientNames, ["gw1"]);
    await end.close();
  });

  it("goes through a proxy with its credentials, and explains a 407", async () => {
    const { authority, good } = await testCertificates();
    const end = await startTlsEnd(good);
    const proxy = await startProxy("user:p w");
    const secureContext = await contextTrusting(authority.caPem);
    const target = { host: "localhost", port: end.port, secureContext };
    const through = { host: "127.0.0.1", port: proxy.port, isTls: false };
    const right = { ...target, proxy: { ...through, credentials: "user:p w" } };
    await greeted(right);
    const wrong = { ...target, proxy: { ...through, credentials: "user:x" } };
    assert.match(await faultOf(dial(wrong, never)), /^unreachable: proxy: .*407/);
    assert.deepEqual(proxy.asked, [`localhost:${end.port}`, `localhost:${end.port}`]);
    assert.deepEqual(end.serverNames, ["localhost"]);
    await proxy.close();
    await end.close();
  });

  it("gives up when it is told to, and leaves nothing open", async () => {
    const { good } = await testCertificates();
    // Accepts TCP through the proxy port but never answers: a plain TLS end waits for a handshake.
    const end = await startTlsEnd(good);
    const stop = new AbortController();
    const proxy = { host: "127.0.0.1", port: end.port, isTls: false, credentials: "" };
    const dialling = faultOf(dial({ host: "h", port: 1, proxy }, stop.signal));
    setImmediate(() => stop.abort());
    assert.match(await dialling, /^(timed-out|unreachable)/);
    await end.close();
  });
});

describe("addresses", () => {
  it("are split and joined again without loss", () => {
    const host = fc.constantFrom("hub.example", "10.0.0.1", "a-b_c", "fd00::1", "::1");
    fc.assert(
      fc.property(host, fc.integer({ min: 1, max: 65_535 }), (name, port) => {
        const parsed = parseAuthority(authorityOf({ host: name, port }), "address");
        assert.deepEqual(parsed.ok && parsed.value, { host: name, port });
      }),
    );
  });

  it("that could break a protocol head are refused", () => {
    for (const text of ["", "a b", "a\r\nb", "a:0", "a:65536", "a:b", "a/b", "user@a", "[::1"]) {
      assert.equal(parseAuthority(text, "address").ok, false, text);
    }
  });
});

describe("a proxy's answer", () => {
  it("is a tunnel only with a status of 2xx", () => {
    assert.equal(refusalOf("HTTP/1.1 200 OK"), undefined);
    for (const head of ["HTTP/1.1 403 No", "SSH-2.0-x", "HTTP/1.1 20", ""]) {
      assert.ok(refusalOf(head) instanceof FaultError, head);
    }
  });
});
