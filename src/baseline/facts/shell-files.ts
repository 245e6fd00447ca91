import type { Device } from "../device.ts";
import type { Fact } from "../fact.ts";
import { type ConfigLine, linesOfFiles, withoutComments } from "./config-text.ts";

/** Files that shells read for all users. Source: bash(1), INVOCATION; Debian and Fedora builds of it. */
export const SHELL_FILES = [
  "/etc/profile",
  "/etc/profile.d/*.sh",
  "/etc/bash.bashrc",
  "/etc/bashrc",
] as const;

/** The same and what root's own shell reads. */
export const ROOT_SHELL_FILES = [
  ...SHELL_FILES,
  "/root/.profile",
  "/root/.bash_profile",
  "/root/.bash_login",
  "/root/.bashrc",
] as const;

/** Lines of the files that are there, without comments. Missing: none of them is. */
export function shellLines(device: Device, files: readonly string[]): Fact<readonly ConfigLine[]> {
  const lines = linesOfFiles(device, files);
  if (lines.state !== "value") return lines;
  return { state: "value", value: withoutComments(lines.value) };
}
