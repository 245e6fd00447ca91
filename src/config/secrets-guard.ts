/** Names that hold a secret itself. Compared without case, blanks, dashes and underscores. */
const SECRET_KEYS = new Map<string, string>([
  ["connectionstring", "connectionStringFile"],
  ["sharedaccesskey", "connectionStringFile"],
  ["sharedaccesssignature", "connectionStringFile"],
  ["primarykey", "connectionStringFile"],
  ["secondarykey", "connectionStringFile"],
  ["sastoken", "connectionStringFile"],
  ["token", "connectionStringFile"],
  ["symmetrickey", "symmetricKeyFile"],
  ["groupkey", "groupKeyFile"],
  ["key", "keyFile"],
  ["privatekey", "keyFile"],
  ["keypem", "keyFile"],
  ["passphrase", "keyFile"],
  ["password", "passwordFile"],
  ["proxypassword", "proxyPasswordFile"],
  ["secret", "the key of that secret ending in File"],
]);

/** The key that takes a file instead, when this name stands for a secret itself. */
export function fileKeyFor(name: string): string | undefined {
  return SECRET_KEYS.get(
    name
      .slice(0, 64)
      .toLowerCase()
      .replace(/[\s_-]/g, ""),
  );
}

/** Signs of a secret in a value. */
const SECRET_SIGNS =
  /shared\s*access|accesskey|signature|password|passwd|secret|token|PRIVATE KEY|sig=|:\/\/[^/\s"]*@|[A-Za-z0-9+/_-]{32,}/i;

/**
 * The text of a value found at a key, fit to be shown: nothing at all where the value may be a
 * secret, such as at a key that names a file, since the secret itself is often put there by mistake.
 */
export function showable(key: string, found: string): string {
  if (found === "") return "";
  const isReference = /File$|_FILE$/.test(key);
  return isReference || SECRET_SIGNS.test(found) ? "a value not shown here" : found;
}
