/** Builders that keep the cases of rules short. */
import type { SocketFacts } from "../../../src/contract/probe.ts";
import type { RootFiles } from "../memory-root.ts";
import type { CaseDevice, RuleCases } from "../rule-case.ts";

/** A running device with these files. */
export function live(files: RootFiles): CaseDevice {
  return { files };
}

/** A root that does not run, with these files. */
export function offline(files: RootFiles): CaseDevice {
  return { files, isLive: false };
}

/** The same device inside of Docker. */
export function contained(device: CaseDevice): CaseDevice {
  return { ...device, files: { ...device.files, "/.dockerenv": "" } };
}

/** A device for each path, each with that path alone beside the files. */
export function eachWith(files: RootFiles, ...paths: readonly string[]): readonly CaseDevice[] {
  return paths.map((path) => offline({ ...files, [path]: "text" }));
}

/** A root of nothing. */
export const NOTHING: CaseDevice = offline({});

/** A file that may not be read. */
export const REFUSED = { isRefused: true } as const;

/** A folder. */
export const FOLDER = { kind: "folder" } as const;

/** Debian's status file of dpkg with these packages. */
export function dpkg(...names: readonly string[]): RootFiles {
  const stanzas = ["base-files", ...names].map(
    (name) => `Package: ${name}\nStatus: install ok installed\nVersion: 1.0-1\n`,
  );
  return { "/var/lib/dpkg/status": stanzas.join("\n") };
}

/** The folder by which systemd is known. */
export const SYSTEMD: RootFiles = { "/usr/lib/systemd/system/basic.target": "[Unit]\n" };

/** A unit file, and the link that starts it at boot. */
export function enabledUnit(unit: string, text = "[Service]\n"): RootFiles {
  const path = `/usr/lib/systemd/system/${unit}`;
  return {
    [path]: text,
    [`/etc/systemd/system/multi-user.target.wants/${unit}`]: { link: path },
  };
}

/** A TCP listener. */
export function listener(localAddress: string, localPort: number): SocketFacts {
  return {
    protocol: "tcp",
    family: localAddress.includes(":") ? "ipv6" : "ipv4",
    state: 10,
    localAddress,
    localPort,
    remoteAddress: localAddress.includes(":") ? "::" : "0.0.0.0",
    remotePort: 0,
    userId: 0,
    inode: 1,
    interfaceIndex: 0,
  };
}

/** Cases of a rule that is about packages that must be absent. */
export function absentPackage(rule: string, name: string): RuleCases {
  return {
    rule,
    pass: [offline(dpkg())],
    fail: [offline(dpkg(name))],
    notApplicable: [NOTHING],
    error: [offline({ "/var/lib/dpkg/status": REFUSED })],
  };
}

/** Cases of a rule that is about units that must not be enabled. */
export function offService(rule: string, unit: string): RuleCases {
  const name = unit.replace(/\.\w+$/, "");
  const file = `/usr/lib/systemd/system/${unit}`;
  const pass = [
    offline(SYSTEMD),
    offline({ ...SYSTEMD, [file]: "[Service]\n" }),
    // Masked, and still wanted.
    offline({ ...enabledUnit(unit), [`/etc/systemd/system/${unit}`]: { link: "/dev/null" } }),
  ];
  const fail = [offline({ ...SYSTEMD, ...enabledUnit(unit) })];
  if (unit.endsWith(".service")) {
    fail.push(
      offline({ [`/etc/runlevels/default/${name}`]: { link: `/etc/init.d/${name}` } }),
      offline({ [`/etc/init.d/${name}`]: "", [`/etc/rc2.d/S20${name}`]: "" }),
      // Systemd makes a unit of a start script that has none.
      offline({ ...SYSTEMD, [`/etc/init.d/${name}`]: "", [`/etc/rc2.d/S20${name}`]: "" }),
      // The link that starts it has another name.
      offline({
        [file]: "[Service]\n",
        "/etc/systemd/system/multi-user.target.wants/alias.service": { link: file },
      }),
    );
  }
  return {
    rule,
    pass,
    fail,
    notApplicable: [NOTHING],
    error: [offline({ ...SYSTEMD, "/etc/systemd/system": REFUSED })],
  };
}

/** Settings of GRUB that start a kernel with these words, and a memory test without them. */
export function bootEntry(words: string): RootFiles {
  return {
    "/boot/grub/grub.cfg": `menuentry 'Debian' {\n\tlinux\t/boot/vmlinuz-6.1 root=UUID=1 ro ${words}\n}\nmenuentry 'Memory test' {\n\tlinux /boot/memtest86+x64.bin\n}\n`,
  };
}
