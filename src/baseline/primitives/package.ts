import type { Device } from "../device.ts";
import type { PackageList } from "../facts/package-list.ts";
import { packages } from "../facts/packages.ts";
import { because, decide, evidence, type Outcome } from "../outcome.ts";

/** Whether one of several packages is installed. */
export interface PackageCheck {
  readonly test: "package";
  /** Names; a `*` at the end stands for any rest. */
  readonly names: readonly string[];
  readonly want: "installed" | "absent";
}

/** The first installed package that one of the names means. */
export function installedOf(list: PackageList, names: readonly string[]): string | undefined {
  for (const name of names) {
    if (!name.endsWith("*")) {
      if (list.versions.has(name)) return name;
      continue;
    }
    for (const known of list.versions.keys()) if (known.startsWith(name.slice(0, -1))) return known;
  }
  return undefined;
}

/** Looks a package up. Without a database it does not apply: nothing says what is installed. */
export function judgePackage(check: PackageCheck, device: Device): Outcome {
  const list = packages(device);
  if (list.state === "unreadable") return because("error", list.reason);
  if (list.state === "missing")
    return because("not-applicable", "no package database is known here");
  const hit = installedOf(list.value, check.names);
  const found = hit === undefined ? "none of them" : `${hit} ${list.value.versions.get(hit) ?? ""}`;
  const expected = `${check.names.join(" or ")} ${check.want}`;
  return decide(
    (hit !== undefined) === (check.want === "installed"),
    evidence(list.value.source, expected, found),
  );
}
