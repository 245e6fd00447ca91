import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { memoryRoot } from "../../test/baseline/memory-root.ts";
import { parseMountinfo } from "../parse/mountinfo.ts";
import { rootsOf, type WalkRoots, walkRoots } from "./walk-roots.ts";

function roots(...lines: readonly string[]): WalkRoots {
  return rootsOf(parseMountinfo(lines.join("\n")), (path) => path);
}

describe("the places where a walk begins", () => {
  it("are the local file systems; those of the kernel and of other machines are not", () => {
    const { starts, barriers } = roots(
      "1 0 8:1 / / rw - ext4 /dev/sda1 rw",
      "2 1 0:5 / /proc rw - proc proc rw",
      "3 1 0:6 / /sys rw - sysfs sysfs rw",
      "4 1 8:2 / /home rw - ext4 /dev/sda2 rw",
      "5 1 0:7 / /mnt/nas rw - nfs4 nas:/ rw",
      "6 1 0:8 / /mnt/s rw - fuse.sshfs s: rw",
      "7 1 8:3 / /mnt/usb rw - fuseblk /dev/sdb1 rw",
      "8 1 0:9 / /run rw - tmpfs tmpfs rw",
      "9 1 0:10 / /media/host rw - virtiofs host rw",
    );
    assert.deepEqual(starts, ["/", "/home", "/mnt/usb", "/run"]);
    assert.ok(["/proc", "/sys", "/mnt/nas", "/home"].every((path) => barriers.has(path)));
  });

  it("name a file system once, however often it is bound elsewhere", () => {
    const { starts } = roots(
      "1 0 8:1 / / rw - ext4 /dev/sda1 rw",
      "2 1 8:1 /srv/data /data rw - ext4 /dev/sda1 rw",
      "3 1 8:2 /a /x rw - ext4 /dev/sda2 rw",
      "4 1 8:2 /ab /y rw - ext4 /dev/sda2 rw",
      "5 1 0:30 /@ /b rw - btrfs /dev/sdc rw",
      "6 1 0:30 /@/inner /c rw - btrfs /dev/sdc rw",
    );
    assert.deepEqual(starts, ["/", "/b", "/x", "/y"]);
  });

  it("take an overlay as the root of the device, and leave its layers out", () => {
    const { starts, barriers } = roots(
      "1 0 31:4 / /rom ro - squashfs /dev/root ro",
      "2 1 31:5 / /overlay rw - jffs2 /dev/mtdblock5 rw",
      "3 0 0:12 / / rw - overlay overlayfs:/overlay rw,lowerdir=/rom,upperdir=/overlay/upper,workdir=/overlay/work",
    );
    assert.deepEqual(starts, ["/", "/overlay"]);
    assert.ok(["/rom", "/overlay/upper", "/overlay/work"].every((path) => barriers.has(path)));
  });

  it("leave the overlays of containers out, and the layers that short links name", () => {
    const probe = memoryRoot({
      "/proc/self/mountinfo": [
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw",
        "2 1 0:40 / /var/lib/docker/overlay2/c1/merged rw - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/ABC:/var/lib/docker/overlay2/l/DEF,upperdir=/var/lib/docker/overlay2/c1/diff,workdir=/var/lib/docker/overlay2/c1/work",
      ].join("\n"),
      "/var/lib/docker/overlay2/l/ABC": { link: "../i1/diff" },
      "/var/lib/docker/overlay2/l/DEF": { link: "../i2/diff" },
    });
    const found = walkRoots(probe);
    assert.ok(found.ok);
    assert.deepEqual(found.value.starts, ["/"]);
    const folder = "/var/lib/docker/overlay2";
    for (const name of ["i1/diff", "i2/diff", "c1/diff", "c1/merged"]) {
      assert.ok(found.value.barriers.has(`${folder}/${name}`), name);
    }
  });

  it("are the root alone where the root does not run, and /proc of it is not asked", () => {
    const probe = memoryRoot({ "/proc/self/mountinfo": "garbage" }, { isLive: false });
    const found = walkRoots(probe);
    assert.ok(found.ok);
    assert.deepEqual(found.value.starts, ["/"]);
  });

  it("are not known when the kernel does not list its mounts", () => {
    const found = walkRoots(memoryRoot({}));
    assert.ok(!found.ok);
    assert.equal(found.problem.code, "not-found");
  });

  it("never name a path twice, whatever is mounted", () => {
    const path = fc.constantFrom("/", "/a", "/a/b", "/c", "/c/d");
    const mount = fc.record({
      device: fc.constantFrom("8:1", "8:2", "0:9"),
      root: path,
      path,
      type: fc.constantFrom("ext4", "overlay", "nfs", "proc", "tmpfs"),
      source: fc.constant("x"),
      superOptions: fc.array(fc.constantFrom("rw", "lowerdir=/a:/c", "upperdir=/c/d")),
    });
    fc.assert(
      fc.property(fc.array(mount, { maxLength: 8 }), (mounts) => {
        const { starts } = rootsOf(mounts, (one) => one);
        assert.equal(new Set(starts).size, starts.length);
        const last = new Map<string, { readonly type: string }>(
          mounts.map((one) => [one.path, one]),
        );
        assert.ok(starts.every((start) => !["nfs", "proc"].includes(last.get(start)?.type ?? "")));
      }),
    );
  });
});
