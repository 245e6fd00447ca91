/** A root file system in memory, so that owners, modes and kernel files can be whatever a case needs. */
import type { FileFacts, Probe, SocketFacts } from "../../src/contract/probe.ts";
import { fail, ok, type Result } from "../../src/contract/result.ts";

/** A file by its text, or with more: `mode` 0o644 and owner 0:0 where absent. */
export type RootEntry =
  | string
  | {
      readonly text?: string;
      readonly kind?: "file" | "folder" | "device";
      readonly mode?: number;
      readonly userId?: number;
      readonly groupId?: number;
      /** Target of a symbolic link. */
      readonly link?: string;
      /** Reading it is refused. */
      readonly isRefused?: true;
    };

/** Absolute paths; folders on the way exist by themselves. */
export type RootFiles = Readonly<Record<string, RootEntry>>;

export interface MemoryRootOptions {
  readonly isLive?: boolean;
  readonly sockets?: readonly SocketFacts[];
}

type Entry = Exclude<RootEntry, string>;

function entryOf(entry: RootEntry): Entry {
  return typeof entry === "string" ? { text: entry } : entry;
}

function factsOf(entry: Entry, inode: number): FileFacts {
  const kind = entry.link === undefined ? (entry.kind ?? "file") : "link";
  return {
    kind,
    mode: entry.mode ?? (kind === "folder" ? 0o755 : 0o644),
    userId: entry.userId ?? 0,
    groupId: entry.groupId ?? 0,
    sizeBytes: Buffer.byteLength(entry.text ?? ""),
    modifiedMs: 0,
    inode,
    deviceId: 1,
  };
}

/** A Probe over the files: what baseline checks use of it works, the rest is `unsupported`. */
export function memoryRoot(files: RootFiles, options: MemoryRootOptions = {}): Probe {
  const entries = new Map<string, Entry>([
    ["/", { kind: "folder" }],
    ["/dev", { kind: "folder" }],
    ["/dev/null", { kind: "device", mode: 0o666 }],
  ]);
  for (const [path, entry] of Object.entries(files)) {
    const parts = path.split("/").filter((part) => part !== "");
    for (let at = 1; at < parts.length; at += 1) {
      const folder = `/${parts.slice(0, at).join("/")}`;
      if (!entries.has(folder)) entries.set(folder, { kind: "folder" });
    }
    entries.set(`/${parts.join("/")}`, entryOf(entry));
  }

  /** The path with the links on its way followed, the last part only if asked. */
  function resolved(path: string, follow: boolean, depth = 0): string | undefined {
    if (depth > 20) return undefined;
    let at = "";
    const parts = path.split("/").filter((part) => part !== "" && part !== ".");
    for (const [index, part] of parts.entries()) {
      at = part === ".." ? at.replace(/\/[^/]*$/, "") : `${at}/${part}`;
      const target = entries.get(at)?.link;
      if (target === undefined || (!follow && index === parts.length - 1)) continue;
      const base = target.startsWith("/") ? "" : at.replace(/\/[^/]*$/, "");
      const rest = parts.slice(index + 1).join("/");
      return resolved(`${base}/${target}/${rest}`, follow, depth + 1);
    }
    return at === "" ? "/" : at;
  }

  function find(
    path: string,
    follow = true,
  ): Result<{ readonly path: string; readonly entry: Entry }> {
    const real = resolved(path, follow);
    const entry = real === undefined ? undefined : entries.get(real);
    if (real === undefined || entry === undefined) return fail("not-found", path, "no such file");
    return ok({ path: real, entry });
  }

  const readText = (path: string, maxBytes = 1_048_576): Result<string> => {
    const found = find(path);
    if (!found.ok) return found;
    const { entry } = found.value;
    if (entry.isRefused === true) return fail("not-permitted", path, "permission denied");
    if (entry.kind === "folder" || entry.kind === "device") {
      return fail("unsupported", path, "not a regular file");
    }
    const text = entry.text ?? "";
    return text.length > maxBytes ? fail("too-large", path, "too large") : ok(text);
  };

  const answers: Partial<Probe> = {
    root: "/",
    isLive: options.isLive ?? true,
    readText,
    readBytes: (path, maxBytes) => {
      const read = readText(path, maxBytes);
      return read.ok ? ok(Buffer.from(read.value, "latin1")) : read;
    },
    readFrom: (path, offset, maxBytes) => {
      const read = readText(path, Number.POSITIVE_INFINITY);
      if (!read.ok) return read;
      const bytes = Buffer.from(read.value, "latin1");
      return ok({
        bytes: bytes.subarray(offset, offset + maxBytes),
        sizeBytes: bytes.length,
        inode: 1,
        deviceId: 1,
      });
    },
    readLink: (path) => {
      const found = find(path, false);
      if (!found.ok) return found;
      const { link } = found.value.entry;
      return link === undefined ? fail("malformed", path, "is no link") : ok(link);
    },
    listFolder: (path) => {
      const found = find(path);
      if (!found.ok) return found;
      if (found.value.entry.isRefused === true)
        return fail("not-permitted", path, "permission denied");
      if (found.value.entry.kind !== "folder") return fail("not-found", path, "is no folder");
      const prefix = found.value.path === "/" ? "/" : `${found.value.path}/`;
      const names = [...entries.keys()]
        .filter((name) => name !== "/" && name.startsWith(prefix))
        .map((name) => name.slice(prefix.length))
        .filter((name) => !name.includes("/"));
      return ok(names.sort());
    },
    facts: (path, follow = true) => {
      const found = find(path, follow);
      return found.ok
        ? ok(factsOf(found.value.entry, [...entries.keys()].indexOf(found.value.path)))
        : found;
    },
    listeningSockets: () => ok({ source: "sock_diag" as const, sockets: options.sockets ?? [] }),
  };
  return new Proxy(answers, {
    get: (target, name) =>
      Reflect.get(target, name) ?? (() => fail("unsupported", String(name), "not in memory")),
  }) as Probe;
}
