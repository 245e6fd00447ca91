/** The Debian mirrors that this machine's own apt uses, as sources for another Debian release. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A text of `/etc/apt`: one-line style (`.list`) or deb822 (`.sources`). */
export interface AptText {
  readonly style: "one-line" | "deb822";
  readonly text: string;
}

interface Source {
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
  /** Absolute path of a key ring, or empty. */
  readonly signedBy: string;
}

const RELEASES = [
  ...["bullseye", "bookworm", "trixie", "forky", "sid"],
  ...["oldoldstable", "oldstable", "stable", "testing", "unstable"],
];
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/**
 * Lines for a `sources.list` of `release`, at the mirrors that the texts name for any Debian release.
 * Empty when none of them is Debian's, as on Ubuntu. `keyring` is used where an entry names none.
 * Source: sources.list(5).
 */
export function sourcesOf(release: string, texts: readonly AptText[], keyring = ""): string[] {
  const lines = texts.flatMap(parse).flatMap((source) => {
    const [, base = "", kind = ""] = /^([a-z]+)(|-updates|-security)$/.exec(source.suite) ?? [];
    if (!RELEASES.includes(base) || !source.components.includes("main")) return [];
    const ring = source.signedBy === "" ? keyring : source.signedBy;
    const options = ring === "" ? "" : `[signed-by=${ring}] `;
    return [`deb ${options}${source.uri} ${release}${kind} main`];
  });
  return [...new Set(lines)].sort();
}

/** The same for what this machine has in `/etc/apt`. */
export function sourcesOfThisMachine(release: string, folder = "/etc/apt"): string[] {
  const parts = join(folder, "sources.list.d");
  const names = existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : [];
  const files = [join(folder, "sources.list"), ...names.sort()].filter(
    (file) => /\.(list|sources)$/.test(file) && existsSync(file),
  );
  const texts = files.map((file): AptText => {
    const style = file.endsWith(".sources") ? "deb822" : "one-line";
    return { style, text: readFileSync(file, "utf8") };
  });
  return sourcesOf(release, texts, existsSync(KEYRING) ? KEYRING : "");
}

function parse({ style, text }: AptText): readonly Source[] {
  const sources = style === "deb822" ? parseDeb822(text) : text.split("\n").flatMap(parseLine);
  return sources.filter(({ uri }) => /^(https?|file|copy|mirror(\+\w+)?):/.test(uri));
}

function parseLine(line: string): readonly Source[] {
  const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]*)/.exec(line);
  if (match === null) return [];
  const [, options = "", uri = "", suite = "", components = ""] = match;
  const signedBy = /(?:^|\s)signed-by=(\/[^\s,]+)/i.exec(options)?.[1] ?? "";
  return [{ uri, suite, components: words(components), signedBy }];
}

function parseDeb822(text: string): readonly Source[] {
  const withoutComments = text.replace(/^#.*\n?/gm, "");
  return withoutComments.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = new Map<string, string>();
    for (const [, name = "", value = ""] of stanza.matchAll(/^([\w-]+):((?:.*)(?:\n[ \t].*)*)/gm)) {
      fields.set(name.toLowerCase(), value.trim());
    }
    if (/^(no|false|0|off)$/i.test(fields.get("enabled") ?? "yes")) return [];
    if (!words(fields.get("types")).includes("deb")) return [];
    // A key may stand here itself instead of the name of its file.
    const signedBy = /^\/\S+/.exec(fields.get("signed-by") ?? "")?.[0] ?? "";
    const components = words(fields.get("components"));
    return words(fields.get("uris")).flatMap((uri) =>
      words(fields.get("suites")).map((suite) => ({ uri, suite, components, signedBy })),
    );
  });
}

function words(text: string | undefined): readonly string[] {
  return (text ?? "").split(/\s+/).filter((word) => word !== "");
}
