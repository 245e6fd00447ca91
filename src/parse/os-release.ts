/**
 * Fields of /etc/os-release by name; the last assignment wins, what is no assignment is skipped.
 * Values are unquoted as a shell would, without expansion, and at most 1,024 characters long.
 * Source: os-release(5).
 */
export function parseOsRelease(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^\s*([A-Z][A-Z0-9_]{0,63})=(.*)$/.exec(line.slice(0, 2048));
    if (match?.[1] === undefined || match[2] === undefined) continue;
    const value = unquote(match[2].trim()).slice(0, 1024);
    if (value !== "") fields.set(match[1], value);
  }
  return fields;
}

/** Inside double quotes a backslash protects `"`, `$`, backtick and itself; single quotes are literal. */
function unquote(text: string): string {
  const quote = text.charAt(0);
  const isQuoted = text.length >= 2 && (quote === '"' || quote === "'") && text.endsWith(quote);
  if (!isQuoted) return text;
  const inner = text.slice(1, -1);
  return quote === "'" ? inner : inner.replace(/\\(["$`\\])/g, "$1");
}
