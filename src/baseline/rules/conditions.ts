import type { Check } from "../check.ts";

function anyThere(paths: readonly string[]): Check {
  return { any: paths.map((path): Check => ({ test: "file-exists", path })) };
}

/** One of the paths is there; wildcards are allowed. */
export function isThere(...paths: readonly string[]): Check {
  return anyThere(paths);
}

/** None of the paths is there. */
export function isNotThere(...paths: readonly string[]): Check {
  return { not: anyThere(paths) };
}

/**
 * Not inside a container, where the kernel, its modules and its mounts are the host's. Source: Docker and
 * Podman make the first two; systemd's container interface the third; LXC the last.
 */
export const NOT_A_CONTAINER: Check = isNotThere(
  "/.dockerenv",
  "/run/.containerenv",
  "/run/systemd/container",
  "/dev/.lxc",
);

/** What a reader is told inside of a container. */
export const IN_A_CONTAINER = "the host of this container decides about its kernel and its mounts";

/** SELinux is configured or in force. */
export const HAS_SELINUX: Check = isThere("/etc/selinux/config", "/sys/fs/selinux/enforce");

/** The tools of AppArmor are here; packages put profiles beside them even where they are not. */
export const HAS_APPARMOR: Check = isThere("/usr/sbin/apparmor_parser", "/sbin/apparmor_parser");
