/** The Debian package as dpkg sees it: contents, modes, control fields, and the same bytes twice. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { nativeLibrary } from "../../build/native-library.ts";
import { debianVersion } from "../../build/package-archive.ts";
import { PROCESSORS } from "../../build/package-contents.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const manifest: { readonly version: string } = JSON.parse(
  readFileSync(join(root, "package.json"), "utf8"),
);

/** The processor whose native library npm installed: the only one that needs no network. */
const [architecture, processor] =
  Object.entries(PROCESSORS).find(([, { native }]) =>
    existsSync(join(root, "node_modules", native)),
  ) ?? [];
const hasDpkg = spawnSync("dpkg-deb", ["--version"]).status === 0;

function reasonToSkip(): string | false {
  if (!hasDpkg) return "dpkg-deb is not there";
  return architecture === undefined ? "no native library for a packaged processor" : false;
}

interface Entry {
  readonly mode: string;
  readonly owner: string;
  readonly path: string;
}

function build(out: string, umask: string, timeZone: string): string {
  const command = `umask ${umask}; exec "$0" --import tsx build/package.ts --arch "$1" --out "$2"`;
  execFileSync("sh", ["-c", command, process.execPath, architecture ?? "", out], {
    cwd: root,
    env: { ...process.env, TZ: timeZone },
    stdio: "pipe",
  });
  return join(out, `gatewarden_${debianVersion(manifest.version)}_${architecture}.deb`);
}

describe("the Debian package", { skip: reasonToSkip() }, () => {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-deb-"));
  let file = "";
  let entries: readonly Entry[] = [];
  const unpacked = join(folder, "unpacked");
  const control = join(folder, "control");
  after(() => rmSync(folder, { recursive: true, force: true }));
  before(() => {
    file = build(join(folder, "first"), "077", "UTC");
    execFileSync("dpkg-deb", ["-x", file, unpacked]);
    execFileSync("dpkg-deb", ["-e", file, control]);
    entries = execFileSync("dpkg-deb", ["-c", file], { encoding: "utf8" })
      .trimEnd()
      .split("\n")
      .map((line) => {
        const [mode = "", owner = "", , , , path = ""] = line.split(/\s+/);
        return { mode, owner, path: path.replace(/^\.\//, "") };
      });
  });

  const field = (name: string) =>
    execFileSync("dpkg-deb", ["-f", file, name], { encoding: "utf8" }).trim();

  it("holds these files besides the documentation, and no other", () => {
    const files = entries.filter(({ mode, path }) => !mode.startsWith("d") && !isDocument(path));
    const native = `usr/lib/gatewarden/lib/${processor?.native}`;
    const expected = [
      "-rwxr-xr-x usr/bin/gatewarden",
      "-rwxr-xr-x usr/lib/gatewarden/bin/gatewarden.js",
      "-rw-r--r-- usr/lib/gatewarden/bin/gatewarden-agent.js",
      "-rw-r--r-- usr/lib/gatewarden/bin/gatewarden-azure.js",
      "-rw-r--r-- usr/lib/gatewarden/bin/gatewarden-azure.js.LEGAL.txt",
      "-rw-r--r-- usr/lib/gatewarden/bin/gatewarden-tools.js",
      "-rw-r--r-- usr/lib/gatewarden/bin/gatewarden-tools.js.LEGAL.txt",
      "-rw-r--r-- usr/lib/gatewarden/bin/gatewarden-yaml.js",
      "-rw-r--r-- usr/lib/gatewarden/bin/package.json",
      `-rw-r--r-- ${native}/index.js`,
      `-rw-r--r-- ${native}/package.json`,
      `-rw-r--r-- ${native}/${processor?.folder}/koffi.node`,
      "-rw-r--r-- usr/lib/gatewarden/lib/koffi/LICENSE.txt",
      "-rw-r--r-- usr/lib/gatewarden/lib/koffi/index.cjs",
      "-rw-r--r-- usr/lib/gatewarden/lib/koffi/package.json",
      "-rw-r--r-- usr/lib/gatewarden/lib/koffi/src/koffi/index.cjs",
      "-rw-r--r-- usr/lib/gatewarden/lib/koffi/src/koffi/src/static.cjs",
      "-rw-r--r-- usr/lib/systemd/system/gatewarden.service",
      "-rw-r--r-- usr/lib/sysusers.d/gatewarden.conf",
      "-rw-r--r-- usr/share/gatewarden/profiles/minimal.conf",
    ];
    assert.deepEqual(files.map(({ mode, path }) => `${mode} ${path}`).sort(), expected.sort());
  });

  it("documents itself: manual, changes, licences and the pages", () => {
    const documents = entries.map(({ path }) => path).filter(isDocument);
    for (const path of ["README.md", "changelog.gz", "copyright", "docs/installation.md"]) {
      assert.ok(documents.includes(`usr/share/doc/gatewarden/${path}`), path);
    }
    assert.ok(documents.includes("usr/share/man/man8/gatewarden.8.gz"));
    assert.ok(!documents.some((path) => path.includes("benchmarks")));
  });

  it("belongs to root, and keeps others out of its configuration", () => {
    for (const { owner, path } of entries) assert.equal(owner, "root/root", path);
    const modes = new Map(entries.map(({ mode, path }) => [path, mode]));
    assert.equal(modes.get("etc/gatewarden/"), "drwxr-x---");
    assert.equal(modes.get("etc/gatewarden/credentials/"), "drwx------");
    const others = entries.filter(
      ({ mode, path }) => mode.startsWith("d") && !/^etc\/g/.test(path),
    );
    for (const { mode, path } of others) assert.equal(mode, "drwxr-xr-x", path);
  });

  it("ships no configuration file: setup writes it, and dpkg must not ask about it", () => {
    assert.ok(!existsSync(join(control, "conffiles")));
    assert.deepEqual(readdirSync(join(unpacked, "etc/gatewarden/credentials")), []);
    assert.deepEqual(readdirSync(join(unpacked, "etc/gatewarden")), ["credentials"]);
  });

  it("loads its native library from where it unpacked", () => {
    const program = join(unpacked, "usr/lib/gatewarden");
    const load = "process.stdout.write(require(process.argv[1]).version)";
    const version = execFileSync(process.execPath, ["-e", load, join(program, "lib/koffi")], {
      encoding: "utf8",
      cwd: unpacked,
    });
    const own: { readonly version: string } = JSON.parse(
      readFileSync(join(program, "lib/koffi/package.json"), "utf8"),
    );
    assert.equal(version, own.version);
  });

  it("runs", () => {
    const script = join(unpacked, "usr/lib/gatewarden/bin/gatewarden.js");
    const told = execFileSync(process.execPath, [script, "--version"], { encoding: "utf8" });
    assert.equal(told.trim(), manifest.version);
  });

  it("says what it is and needs", () => {
    assert.equal(field("Package"), "gatewarden");
    assert.equal(field("Version"), debianVersion(manifest.version));
    assert.equal(field("Architecture"), architecture);
    assert.match(field("Depends"), /^nodejs \(>= 18\.20\), /);
    assert.match(field("Recommends"), /nftables \| iptables/);
    const kilobytes = Number(field("Installed-Size"));
    assert.ok(kilobytes > 1_000 && kilobytes < 10_000, `${kilobytes} KB`);
    assert.ok(!/@[A-Z_]+@/.test(readFileSync(join(control, "control"), "utf8")));
  });

  it("gives the sum of every file", () => {
    const lines = readFileSync(join(control, "md5sums"), "utf8").trimEnd().split("\n");
    const files = entries.filter(({ mode }) => mode.startsWith("-")).map(({ path }) => path);
    assert.deepEqual(lines.map((line) => line.slice(34)).sort(), [...files].sort());
    for (const line of lines) {
      const bytes = readFileSync(join(unpacked, line.slice(34)));
      assert.equal(createHash("md5").update(bytes).digest("hex"), line.slice(0, 32), line);
    }
  });

  it("has scripts that a shell reads and that refuse a call they do not know", () => {
    for (const script of ["postinst", "prerm", "postrm"]) {
      const path = join(control, script);
      execFileSync("sh", ["-n", path]);
      const { status, stderr } = spawnSync(path, ["no-such-call"], { encoding: "utf8" });
      assert.equal(status, 1, script);
      assert.match(stderr, /unknown call: no-such-call/);
    }
  });

  it("has the same bytes when it is built again, whatever umask and time zone are", () => {
    const again = build(join(folder, "second"), "002", "Asia/Tokyo");
    assert.ok(readFileSync(file).equals(readFileSync(again)));
  });
});

function isDocument(path: string): boolean {
  return path.startsWith("usr/share/doc/") || path.startsWith("usr/share/man/");
}

describe("versions", () => {
  it("sorts what comes before a release below it", () => {
    assert.equal(debianVersion("1.2.3"), "1.2.3");
    assert.equal(debianVersion("1.2.3-rc.1"), "1.2.3~rc.1");
    assert.throws(() => debianVersion("next"));
    assert.throws(() => debianVersion("1.0 /../x"));
  });
});

describe("a native library of another processor", () => {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-native-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const name = "@scope/native";
  const archive = join(folder, ".cache/native/scope-native-1.0.0.tgz");

  function lock(integrity: string): void {
    const packages = { [`node_modules/${name}`]: { version: "1.0.0", integrity } };
    writeFileSync(join(folder, "package-lock.json"), JSON.stringify({ packages }));
  }

  before(() => {
    mkdirSync(join(folder, ".cache/native"), { recursive: true });
    mkdirSync(join(folder, "package"));
    writeFileSync(join(folder, "package/index.js"), "native");
    execFileSync("tar", ["-czf", archive, "-C", folder, "package"]);
  });

  it("is taken from the archive that the lock file names", () => {
    const digest = createHash("sha512").update(readFileSync(archive)).digest("base64");
    lock(`sha512-${digest}`);
    assert.equal(Buffer.from(nativeLibrary(folder, name)("index.js")).toString(), "native");
  });

  it("is refused when the archive is another one", () => {
    lock(`sha512-${createHash("sha512").update("else").digest("base64")}`);
    assert.throws(() => nativeLibrary(folder, name), /not what package-lock.json names/);
  });

  it("is refused when nothing names it", () => {
    assert.throws(() => nativeLibrary(folder, "@scope/unknown"), /not in package-lock.json/);
  });
});
