import type { Rule } from "../rule.ts";
import { IN_A_CONTAINER, NOT_A_CONTAINER } from "./conditions.ts";
import { USB_STORAGE_RULE } from "./section-1-1-modules.ts";

const GROUP = "Filesystem Configuration";

/** Why an option matters. */
const OPTION_REASONS = {
  nodev:
    "A device file that someone makes there would reach disks and memory past all permissions.",
  nosuid: "A program that someone puts there could take the rights of its owner when it is run.",
  noexec: "Anyone may write there, so programs should not start from there.",
} as const;

function ownMount(id: string, path: string, level: 1 | 2, rationale: string): Rule {
  return {
    id,
    title: `${path} is a file system of its own`,
    rationale,
    remediation:
      path === "/tmp"
        ? "Run `systemctl enable --now tmp.mount` (Debian 12: first copy /usr/share/systemd/tmp.mount to /etc/systemd/system), or add `tmpfs /tmp tmpfs defaults,nodev,nosuid,noexec,mode=1777 0 0` to /etc/fstab and run `mount /tmp`."
        : `Make a partition or logical volume for ${path}, copy its content there, and name it in /etc/fstab.`,
    level,
    workstationLevel: level,
    isScored: true,
    severity: "Informational",
    group: GROUP,
    cost: "light",
    appliesWhen: NOT_A_CONTAINER,
    otherwise: IN_A_CONTAINER,
    check: { test: "mount", path },
  };
}

function mountOption(id: string, path: string, option: keyof typeof OPTION_REASONS): Rule {
  return {
    id,
    title: `${path} is mounted with ${option}`,
    rationale: OPTION_REASONS[option],
    remediation: `Add ${option} to the options of ${path} in /etc/fstab${
      path === "/dev/shm" ? " (a line `tmpfs /dev/shm tmpfs nodev,nosuid,noexec 0 0`)" : ""
    } (or to Options= in a drop-in of its mount unit), then run \`mount -o remount,${option} ${path}\`.`,
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Warning",
    group: GROUP,
    cost: "light",
    appliesWhen: NOT_A_CONTAINER,
    otherwise: IN_A_CONTAINER,
    check: { test: "mount-option", path, option },
  };
}

function removableOption(id: string, option: keyof typeof OPTION_REASONS): Rule {
  return {
    ...mountOption(id, "removable media", option),
    title: `Removable media are mounted with ${option}`,
    rationale: `What is on a stick or disc was written elsewhere. ${OPTION_REASONS[option]}`,
    remediation: `Add ${option} to the options of removable media in /etc/fstab, and mount with \`-o ${option}\` by hand.`,
    isScored: false,
    check: { test: "removable-option", option },
  };
}

/** Partitions, mount options, and what mounts by itself: 1.1.2 to 1.1.23. */
export const MOUNT_RULES: readonly Rule[] = [
  ownMount(
    "1.1.2",
    "/tmp",
    1,
    "Anyone may write to /tmp. A mount of its own keeps it from filling the root file system and lets it have strict options.",
  ),
  mountOption("1.1.3", "/tmp", "nodev"),
  mountOption("1.1.4", "/tmp", "nosuid"),
  mountOption("1.1.5", "/tmp", "noexec"),
  ownMount(
    "1.1.6",
    "/var",
    2,
    "Services write to /var all the time. When it is full, the rest of the system should not be.",
  ),
  ownMount(
    "1.1.7",
    "/var/tmp",
    2,
    "Anyone may write to /var/tmp, and its content outlives a restart. A mount of its own bounds it.",
  ),
  mountOption("1.1.8", "/var/tmp", "nodev"),
  mountOption("1.1.9", "/var/tmp", "nosuid"),
  mountOption("1.1.10", "/var/tmp", "noexec"),
  ownMount(
    "1.1.11",
    "/var/log",
    2,
    "Logs grow by what strangers do. A mount of their own keeps them from filling other places, and others from filling theirs.",
  ),
  ownMount(
    "1.1.12",
    "/var/log/audit",
    2,
    "The audit daemon may stop the device when it has no room left: its records need room that nobody else takes.",
  ),
  ownMount(
    "1.1.13",
    "/home",
    2,
    "People fill their homes. A mount of its own keeps that from the system and lets it have strict options.",
  ),
  mountOption("1.1.14", "/home", "nodev"),
  mountOption("1.1.15", "/dev/shm", "nodev"),
  mountOption("1.1.16", "/dev/shm", "nosuid"),
  mountOption("1.1.17", "/dev/shm", "noexec"),
  removableOption("1.1.18", "nodev"),
  removableOption("1.1.19", "nosuid"),
  removableOption("1.1.20", "noexec"),
  {
    id: "1.1.21",
    title: "Folders that anyone may write have the sticky bit",
    rationale: "Without the bit, anyone may delete or replace what others keep in such a folder.",
    remediation:
      "Run `chmod a+t FOLDER` for each folder shown, or take the right to write from others: `chmod o-w FOLDER`.",
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Important",
    group: GROUP,
    cost: "full-walk",
    check: {
      test: "walk",
      list: "openFolders",
      what: "folder that anyone may write without the sticky bit",
    },
  },
  {
    id: "1.1.22",
    title: "Nothing mounts media by itself",
    rationale:
      "The automounter gives whoever reaches a socket of the device a mounted stick without logging in.",
    remediation: "Run `systemctl disable --now autofs.service`, or remove the package autofs.",
    level: 1,
    workstationLevel: 2,
    isScored: true,
    severity: "Warning",
    group: GROUP,
    cost: "shared",
    check: { test: "service", units: ["autofs.service"], want: "off" },
  },
  USB_STORAGE_RULE,
];
