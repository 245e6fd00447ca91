/** A root with a few files changed, without a copy of it. */
import type { FileFacts, Probe } from "../../src/contract/probe.ts";
import { fail, ok } from "../../src/contract/result.ts";

/** What is different: `null` is a file that is gone. */
export type Change = null | {
  /** Made from the text that was there; the empty text where there was no file. */
  readonly text?: (before: string) => string;
  readonly mode?: number;
  readonly userId?: number;
  readonly groupId?: number;
  /** The path is a symbolic link to this. */
  readonly link?: string;
};

export type Changes = Readonly<Record<string, Change>>;

const NEW_FILE: FileFacts = {
  kind: "file",
  mode: 0o644,
  userId: 0,
  groupId: 0,
  sizeBytes: 1,
  modifiedMs: 0,
  inode: 1,
  deviceId: 1,
};

/** The probe, but for the changes. Paths must be named as the rules read them. */
export function changedRoot(probe: Probe, changes: Changes): Probe {
  const known = new Map(Object.entries(changes));
  const added = (folder: string): readonly string[] =>
    [...known.keys()]
      .filter((path) => path.slice(0, path.lastIndexOf("/")) === folder && known.get(path) !== null)
      .map((path) => path.slice(path.lastIndexOf("/") + 1));
  const changed: Partial<Probe> = {
    readText(path, maxBytes) {
      const change = known.get(path);
      if (change === null) return fail("not-found", path, "gone");
      const before = probe.readText(path, maxBytes);
      if (change?.link !== undefined)
        return change.link === "/dev/null" ? ok("") : probe.readText(change.link);
      if (change?.text === undefined) return before;
      return ok(change.text(before.ok ? before.value : ""));
    },
    readLink(path) {
      const change = known.get(path);
      if (change === undefined) return probe.readLink(path);
      if (change?.link !== undefined) return ok(change.link);
      return change === null ? fail("not-found", path, "gone") : fail("malformed", path, "no link");
    },
    listFolder(path) {
      const before = probe.listFolder(path);
      const more = added(path);
      if (!before.ok) return more.length === 0 ? before : ok([...more].sort());
      const names = before.value.filter((name) => known.get(`${path}/${name}`) !== null);
      return ok([...new Set([...names, ...more])].sort());
    },
    facts(path, follow) {
      const change = known.get(path);
      if (change === undefined) return probe.facts(path, follow);
      if (change === null) return fail("not-found", path, "gone");
      const before = probe.facts(path, follow);
      const facts = before.ok ? before.value : NEW_FILE;
      const { mode = facts.mode, userId = facts.userId, groupId = facts.groupId, link } = change;
      const linkKind = follow === false ? "link" : link === "/dev/null" ? "device" : facts.kind;
      return ok({
        ...facts,
        mode,
        userId,
        groupId,
        kind: link === undefined ? facts.kind : linkKind,
      });
    },
  };
  return new Proxy(probe, {
    get: (target, name) => Reflect.get(changed, name) ?? Reflect.get(target, name),
  });
}
