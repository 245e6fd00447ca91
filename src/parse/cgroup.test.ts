import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type ControlGroup, parseControlGroup } from "./cgroup.ts";

const ID = "0123456789ab".padEnd(64, "cdef");

const KNOWN: readonly (readonly [what: string, text: string, expected: ControlGroup])[] = [
  ["a service", "0::/system.slice/ssh.service\n", { unit: "ssh.service" }],
  [
    "an instance below its own slice",
    "0::/system.slice/system-getty.slice/getty@tty1.service\n",
    { unit: "getty@tty1.service" },
  ],
  [
    "a user's service",
    "0::/user.slice/user-1000.slice/user@1000.service/app.slice/syncthing.service\n",
    { unit: "user@1000.service", userUnit: "syncthing.service" },
  ],
  [
    "a login session",
    "0::/user.slice/user-1000.slice/session-3.scope\n",
    { unit: "session-3.scope" },
  ],
  [
    "version 1 beside an empty version 2",
    "12:pids:/system.slice/cron.service\n1:name=systemd:/system.slice/cron.service\n0::/\n",
    { unit: "cron.service" },
  ],
  [
    "docker with the systemd driver",
    `0::/system.slice/docker-${ID}.scope\n`,
    { unit: `docker-${ID}.scope`, container: { runtime: "docker", id: "0123456789ab" } },
  ],
  [
    "docker with the cgroupfs driver",
    `4:memory:/docker/${ID}\n0::/docker/${ID}\n`,
    { container: { runtime: "docker", id: "0123456789ab" } },
  ],
  [
    "a pod under containerd",
    `0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-${ID}.scope\n`,
    {
      unit: `cri-containerd-${ID}.scope`,
      container: { runtime: "containerd", id: "0123456789ab" },
    },
  ],
  [
    "a pod with the cgroupfs driver",
    `0::/kubepods/burstable/pod2f/${ID}\n`,
    { container: { runtime: "kubernetes", id: "0123456789ab" } },
  ],
  [
    "podman",
    `0::/machine.slice/libpod-${ID}.scope/container\n`,
    { unit: `libpod-${ID}.scope`, container: { runtime: "podman", id: "0123456789ab" } },
  ],
  [
    "an LXC container",
    "0::/lxc.payload.web/init.scope\n",
    {
      unit: "init.scope",
      container: { runtime: "lxc", id: "web" },
    },
  ],
  [
    "an old LXC container",
    "1:name=systemd:/lxc/web\n",
    { container: { runtime: "lxc", id: "web" } },
  ],
  [
    "podman's monitor, which is outside the container",
    `0::/machine.slice/libpod-conmon-${ID}.scope\n`,
    { unit: `libpod-conmon-${ID}.scope` },
  ],
  ["the root group", "0::/\n", {}],
  ["nothing", "", {}],
];

describe("control group", () => {
  for (const [what, text, expected] of KNOWN) {
    it(`tells ${what}`, () => {
      assert.deepEqual(parseControlGroup(text), expected);
    });
  }

  it("never throws and keeps container ids short", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" }), { maxLength: 8 }), (parts) => {
        const found = parseControlGroup(`0::/${parts.join("/")}\n1:name=systemd:/lxc/${parts[0]}`);
        assert.ok((found.container?.id.length ?? 0) <= 64);
      }),
    );
  });
});
