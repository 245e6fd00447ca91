import { isAtLeast, type SshdVersion } from "./sshd-version.ts";

/** Keys of sshd_config whose value is a list of algorithms, in lower case. */
export const ALGORITHM_KEYS: ReadonlySet<string> = new Set(["ciphers", "macs", "kexalgorithms"]);

const CIPHERS = [
  "chacha20-poly1305@openssh.com",
  "aes128-ctr",
  "aes192-ctr",
  "aes256-ctr",
  "aes128-gcm@openssh.com",
  "aes256-gcm@openssh.com",
];
const MACS = [
  "umac-64-etm@openssh.com",
  "umac-128-etm@openssh.com",
  "hmac-sha2-256-etm@openssh.com",
  "hmac-sha2-512-etm@openssh.com",
  "hmac-sha1-etm@openssh.com",
  "umac-64@openssh.com",
  "umac-128@openssh.com",
  "hmac-sha2-256",
  "hmac-sha2-512",
  "hmac-sha1",
];

/** Key exchanges that the server offers by itself. Source: OpenSSH myproposal.h and release notes. */
function keyExchanges(version: SshdVersion): readonly string[] {
  return [
    ...(isAtLeast(version, 9, 9) ? ["mlkem768x25519-sha256", "sntrup761x25519-sha512"] : []),
    ...(isAtLeast(version, 9, 0) ? ["sntrup761x25519-sha512@openssh.com"] : []),
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    ...(isAtLeast(version, 10, 0)
      ? []
      : [
          "diffie-hellman-group-exchange-sha256",
          "diffie-hellman-group16-sha512",
          "diffie-hellman-group18-sha512",
          "diffie-hellman-group14-sha256",
        ]),
    ...(isAtLeast(version, 8, 2) ? [] : ["diffie-hellman-group14-sha1"]),
  ];
}

/** Default list of a key in lower case. Versions before 7.6 are judged as that one. */
export function defaultAlgorithms(key: string, version: SshdVersion): readonly string[] {
  if (key === "ciphers") return CIPHERS;
  return key === "macs" ? MACS : keyExchanges(version);
}

function matcher(pattern: string): (name: string) => boolean {
  const body = pattern
    .slice(0, 200)
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*+/g, ".*")
    .replaceAll("?", ".");
  const expression = new RegExp(`^${body}$`);
  return (name) => expression.test(name);
}

/**
 * The list that a value makes of the default one: `+` adds, `-` takes away (patterns with `*` and `?`),
 * `^` puts first, anything else replaces. Source: sshd_config(5), Ciphers.
 */
export function effectiveAlgorithms(
  value: string | undefined,
  defaults: readonly string[],
): readonly string[] {
  if (value === undefined) return defaults;
  const names = value
    .replace(/^[+^-]/, "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "")
    .slice(0, 200);
  const without = (list: readonly string[], taken: readonly string[]): readonly string[] =>
    list.filter((name) => !taken.includes(name));
  if (value.startsWith("+")) return [...defaults, ...without(names, defaults)];
  if (value.startsWith("^")) return [...names, ...without(defaults, names)];
  if (!value.startsWith("-")) return names;
  const taken = names.map(matcher);
  return defaults.filter((name) => !taken.some((matches) => matches(name)));
}
