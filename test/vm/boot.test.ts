/** The machines themselves: what every other test here takes for granted. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { addUser, keepEvidence, processStatus, runAll, waitForUnit } from "./guest.ts";
import { type ImageName, whyNoMachines } from "./images.ts";
import { failToLogIn, logIn, sitAtConsole } from "./serial-console.ts";
import { bootVirtualMachine, HOST_ADDRESS, type VirtualMachine } from "./virtual-machine.ts";

const NODE_VERSION = { bookworm: /^v18\.20\./, trixie: /^v20\./ } as const;
const skip = whyNoMachines();

/** Listens on the host's loopback for one caller and gives the text that it sends. */
async function oneCall(): Promise<{ readonly port: number; readonly text: Promise<string> }> {
  let take: (text: string) => void = () => undefined;
  const text = new Promise<string>((resolve) => {
    take = resolve;
  });
  const server = createServer((socket) => {
    socket.once("data", (bytes) => {
      take(bytes.toString("utf8"));
      socket.end("heard\n");
      server.close();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  const address = server.address();
  return { port: typeof address === "object" && address !== null ? address.port : 0, text };
}

function bootSuite(image: keyof typeof NODE_VERSION & ImageName): void {
  // The machines run side by side, the steps of each one after the other.
  describe(`a machine of ${image}`, { skip, concurrency: 1 }, () => {
    const folder = mkdtempSync(join(tmpdir(), `gatewarden-vm-boot-${image}-`));
    const startedAtMs = Date.now();
    let machine: VirtualMachine;
    let done = 0;
    const say = (line: string): void => {
      const seconds = ((Date.now() - startedAtMs) / 1_000).toFixed(1);
      process.stdout.write(`${seconds} s ${image}: ${line}\n`);
    };
    const steps: string[] = [];
    const step = (name: string, check: () => Promise<void>): void => {
      steps.push(name);
      it(name, async () => {
        await check();
        done += 1;
        say(`done: ${name}`);
      });
    };

    before(async () => {
      machine = await bootVirtualMachine({ image, folder, say, processors: 1 });
    });
    after(async () => {
      if (machine === undefined) return;
      const hasFailed = done < steps.length;
      if (hasFailed) await keepEvidence(machine, folder);
      await machine.stop();
      rmSync(hasFailed ? join(folder, "disk.qcow2") : folder, { recursive: true, force: true });
    });

    step("comes up with no unit failed", async () => {
      const ends = await runAll(machine, {
        state: "systemctl is-system-running --wait",
        failed: "systemctl list-units --failed --plain --no-legend | cut -d' ' -f1",
      });
      assert.equal(ends.failed.stdout, "");
      assert.equal(ends.state.stdout.trim(), "running");
    });

    step(
      "has the release's own Node, firewall tools and kernel 6.1, and no audit daemon",
      async () => {
        const ends = await runAll(machine, {
          node: "node --version",
          kernel: "uname -r",
          release: ". /etc/os-release && echo $VERSION_CODENAME",
          iptables: "iptables --version",
          nft: "nft list ruleset",
          audit: "pgrep -x auditd",
        });
        assert.match(ends.node.stdout, NODE_VERSION[image]);
        assert.match(ends.kernel.stdout, /^6\.1\./);
        assert.equal(ends.release.stdout.trim(), image);
        assert.match(ends.iptables.stdout, /nf_tables/);
        assert.equal(ends.nft.code, 0, ends.nft.stderr);
        assert.equal(ends.audit.code, 1);
      },
    );

    // The rest is of our tools and of QEMU, not of the release: once is enough.
    if (image !== "bookworm") return;
    step("gives each command of a batch its own output and exit code", async () => {
      const ends = await runAll(machine, {
        quotes: "printf '%s' \"it's\"",
        fails: "echo out; echo err >&2; exit 3",
        silent: "true",
        after: "seq 3",
      });
      assert.deepEqual(ends, {
        quotes: { code: 0, stdout: "it's", stderr: "" },
        fails: { code: 3, stdout: "out\n", stderr: "err\n" },
        silent: { code: 0, stdout: "", stderr: "" },
        after: { code: 0, stdout: "1\n2\n3\n", stderr: "" },
      });
    });

    step("reaches what listens on the host's loopback", async () => {
      const call = await oneCall();
      const heard = await machine.must(`echo hello | nc -N -w 10 ${HOST_ADDRESS} ${call.port}`);
      assert.equal(await call.text, "hello\n");
      assert.equal(heard, "heard");
    });

    step("takes files in and gives them out unchanged", async () => {
      const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * 31) % 256));
      writeFileSync(join(folder, "in"), bytes);
      await machine.copyIn(join(folder, "in"), "/root/copied");
      await machine.copyOut("/root/copied", join(folder, "out"));
      assert.ok(bytes.equals(readFileSync(join(folder, "out"))));
    });

    step("shows a service's state and what its process may do", async () => {
      await machine.must(
        "systemd-run -q --unit=probe -p User=nobody -p NoNewPrivileges=yes -p AmbientCapabilities=CAP_NET_ADMIN sleep 600",
      );
      await waitForUnit(machine, "probe.service");
      const status = await processStatus(machine, "probe.service");
      assert.equal(status.name, "sleep");
      assert.deepEqual(status.userIds, [65534, 65534, 65534, 65534]);
      assert.equal(status.capabilities.effective, 1n << 12n);
      assert.equal(status.noNewPrivileges, true);
      await machine.must("systemctl stop probe");
      await waitForUnit(machine, "probe.service", "inactive");
      await assert.rejects(waitForUnit(machine, "no-such.service", "active", 1_000), /not active/);
    });

    step("lets a user with a password log in at the console, and refuses a wrong one", async () => {
      await addUser(machine, "mallory", "it's $ecret", ["adm"]);
      const person = sitAtConsole(machine);
      await failToLogIn(person, "mallory", "wrong");
      await logIn(person, "mallory", "it's $ecret");
      person.enter("echo groups-$(id -Gn)-end");
      assert.match(await person.answer(/groups-mallory.*-end/), /adm/);
      person.enter("exit");
      const journal = await machine.must("journalctl --no-pager -t login");
      assert.match(journal, /FAILED LOGIN.*mallory/);
      assert.match(journal, /session opened for user mallory/);
    });

    step("keeps after a power cut what was synced, and only that is sure", async () => {
      const boot = await machine.must("cat /proc/sys/kernel/random/boot_id");
      await machine.must(
        "echo synced >/root/kept && sync /root/kept /root && echo unsynced >/root/unsure",
      );
      await machine.cutPower();
      assert.notEqual((await machine.run("true", 10_000)).code, 0);
      await machine.boot();
      const ends = await runAll(machine, {
        boot: "cat /proc/sys/kernel/random/boot_id",
        kept: "cat /root/kept",
        unsure: "cat /root/unsure",
      });
      assert.notEqual(ends.boot.stdout.trim(), boot);
      assert.equal(ends.kept.stdout, "synced\n");
      // Written, but still in the guest's memory when the power went.
      assert.notEqual(ends.unsure.stdout, "unsynced\n");
    });
  });
}

describe("virtual machines", { concurrency: true, skip }, () => {
  bootSuite("bookworm");
  bootSuite("trixie");
});
