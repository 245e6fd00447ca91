import type { SecretMask } from "../contract/secret-mask.ts";

/** What stands in place of a secret. */
export const MASK = "***";

/** Words that make the value of an option, a variable or a key of a connection string a secret. */
const SECRET_WORD =
  "pass(?:word|wd|phrase|code)?|pwd|secret|token|api[-_]?key|access[-_]?key|account[-_]?key|shared[-_]?access[-_]?(?:key|signature)|private[-_]?key|client[-_]?secret|credentials?|auth(?:orization)?|psk|sig|signature|bearer";
/** `--db-password`, `PGPASSWORD`, `MY_API_KEY`, `-password`. */
const NAMED = new RegExp(`(?:^|[-_.]|[a-z0-9])(?:${SECRET_WORD})$`, "i");
/** Names that end like a secret and hold none: `--no-password`, `--password-file`, `--token-ttl`. */
const HARMLESS = /(?:^-*no[-_]|[-_](?:file|path|ttl|type|name|id|prompt|stdin|fd|env)$)/i;
const LONGEST_NAME = 64;

/** Shapes that are secret wherever they stand. The first group stays, the rest is masked. */
const SHAPES: readonly RegExp[] = [
  // user:password@ of a URL. Source: RFC 3986 section 3.2.1.
  /(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@]{0,128}:)[^\s/@]{1,512}(?=@)/gi,
  // Key=value; of connection strings and query parts. Source: IoT Hub and Storage connection strings.
  /((?:SharedAccessKey|AccountKey|SharedAccessSignature|Password|Pwd|ClientSecret|sig|access_token|api[_-]?key|token)=)[^;&\s"',]{1,2048}/gi,
  // HTTP authorization. Source: RFC 9110 section 11.6.2.
  /(\b(?:Authorization|Proxy-Authorization)\s*:\s*(?:[A-Za-z]{1,16}\s+)?)[^\s"']{1,2048}/gi,
  /(\b(?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{8,2048}/g,
  /(\bX-(?:Api|Auth)-(?:Key|Token)\s*:\s*)[^\s"']{1,2048}/gi,
  // Keys with a known beginning: JSON web tokens, AWS, GitHub, Slack.
  /()\beyJ[A-Za-z0-9_-]{8,2048}\.[A-Za-z0-9_-]{8,2048}\.[A-Za-z0-9_-]{0,2048}/g,
  /()\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /()\b(?:gh[pousr]_[A-Za-z0-9]{20,255}|xox[abprs]-[A-Za-z0-9-]{10,255})/g,
  /(-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----)[\s\S]{1,8192}/g,
];

/** Short options that carry a secret, by program. Source: the programs' manual pages. */
const SHORT_OPTIONS: Readonly<Record<string, { readonly next?: string; readonly glued?: string }>> =
  {
    mysql: { glued: "-p" },
    mysqldump: { glued: "-p" },
    mysqladmin: { glued: "-p" },
    mariadb: { glued: "-p" },
    "mariadb-dump": { glued: "-p" },
    sshpass: { next: "-p", glued: "-p" },
    "redis-cli": { next: "-a" },
    mosquitto_pub: { next: "-P" },
    mosquitto_sub: { next: "-P" },
    ldapsearch: { next: "-w", glued: "-w" },
    ldapmodify: { next: "-w", glued: "-w" },
    smbclient: { next: "-U" },
    curl: { next: "-u", glued: "-u" },
    openvpn: { next: "--askpass" },
    "7z": { glued: "-p" },
    unzip: { next: "-P" },
    zip: { next: "-P" },
    ipmitool: { next: "-P" },
    snmpwalk: { next: "-A" },
    snmpget: { next: "-A" },
  };
/** Of `user:password`, the user stays. */
const USER_AND_SECRET = /^([^:]{1,128}:).+$/s;

/**
 * Arguments of a command with every secret replaced by `***`: values of options and variables whose name
 * says so (`--password x`, `--token=x`, `DB_PASSWORD=x`), short options of programs known to take one,
 * credentials in URLs and connection strings, authorization headers, tokens of a known form, and what
 * `patterns` match. Names, users and hosts stay, so that the command can still be recognised.
 */
export function maskArguments(
  args: readonly string[],
  patterns: readonly RegExp[] = [],
): readonly string[] {
  const program = (args[0] ?? "").slice((args[0] ?? "").lastIndexOf("/") + 1);
  const short = SHORT_OPTIONS[program];
  let next: "harmless" | "secret" | "short" = "harmless";
  return args.map((argument, at) => {
    if (at === 0) return maskText(argument, patterns);
    const kind = next;
    next = "harmless";
    if (kind === "secret" && !isOption(argument)) return MASK;
    if (kind === "short" && !isOption(argument)) return maskValue(argument, program);
    if (short?.next === argument) {
      next = "short";
      return argument;
    }
    if (short?.glued !== undefined && isGlued(argument, short.glued)) {
      return `${short.glued}${maskValue(argument.slice(short.glued.length), program)}`;
    }
    const assigned = maskAssignment(argument);
    if (assigned !== undefined) return assigned;
    if (isOption(argument) && isSecretName(argument)) next = "secret";
    return maskText(argument, patterns);
  });
}

/** A text, such as a line of a log, with the shapes of secrets and what `patterns` match masked. */
export function maskText(text: string, patterns: readonly RegExp[] = []): string {
  let masked = text;
  for (const shape of SHAPES) masked = masked.replace(shape, `$1${MASK}`);
  for (const pattern of patterns) masked = masked.replace(pattern, MASK);
  return masked;
}

function isOption(argument: string): boolean {
  return /^--?[A-Za-z]/.test(argument);
}

function isGlued(argument: string, option: string): boolean {
  return (
    argument.startsWith(option) && argument.length > option.length && !argument.startsWith("--")
  );
}

function isSecretName(name: string): boolean {
  const bare = name.replace(/^-+/, "");
  if (bare.length === 0 || bare.length > LONGEST_NAME) return false;
  return NAMED.test(bare) && !HARMLESS.test(name);
}

/** `--password=x`, `PGPASSWORD=x`; undefined when the argument is no such thing. */
function maskAssignment(argument: string): string | undefined {
  const equals = argument.indexOf("=");
  if (equals < 1 || equals > LONGEST_NAME || equals === argument.length - 1) return undefined;
  const name = argument.slice(0, equals);
  if (!/^-{0,2}[A-Za-z_][A-Za-z0-9_.-]*$/.test(name) || !isSecretName(name)) return undefined;
  return `${name}=${MASK}`;
}

/** Programs whose short option takes `user:password` keep the user; without one there is no secret. */
function maskValue(value: string, program: string): string {
  const takesUser = program === "curl" || program === "smbclient";
  if (!takesUser) return MASK;
  const separator = program === "smbclient" ? value.replace("%", ":") : value;
  const found = USER_AND_SECRET.exec(separator);
  return found === null ? value : `${found[1]}${MASK}`;
}

/** Longest text that patterns are run on; what is longer is cut there. */
const MOST_TEXT = 8_192;

/** The mask with these patterns besides the built-in ones; each is applied wherever it matches. */
export function createSecretMask(patterns: readonly RegExp[]): SecretMask {
  return {
    commandLine: (args) => maskArguments(args, patterns).join(" ").slice(0, MOST_TEXT),
    text: (text) => maskText(text.slice(0, MOST_TEXT), patterns),
  };
}
