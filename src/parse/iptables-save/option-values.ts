/**
 * How the saving program writes the value of an option that holds free text: `word` quotes only where a
 * character needs it, `always` quotes every time.
 */
export type TextStyle = "word" | "always";

/**
 * Options whose next word is their value even if it looks like an option, and how it is written.
 * Source: iptables extensions that call xtables_save_string, and libxt_string.c, libxt_u32.c,
 * libxt_bpf.c, which print their own quotes.
 */
const TEXT_OPTIONS: ReadonlyMap<string, TextStyle> = new Map<string, TextStyle>([
  ["--comment", "word"],
  ["--log-prefix", "word"],
  ["--nflog-prefix", "word"],
  ["--ulog-prefix", "word"],
  ["--nfacct-name", "word"],
  ["--led-trigger-id", "word"],
  ["--path", "word"],
  ["--string", "always"],
  ["--hex-string", "always"],
  ["--u32", "always"],
  ["--bytecode", "always"],
]);

/** How `option` (`--comment`) writes its free text; undefined where its values are no free text. */
export function textStyleOf(option: string): TextStyle | undefined {
  return TEXT_OPTIONS.get(option);
}

/** What xtables_save_string leaves without quotes. */
const PLAIN = /^[A-Za-z0-9_-]+$/;

/**
 * A value as one word that `splitWords` and iptables-restore read back as it was. Free text is written
 * like the saving program does; everything else is quoted only where it would not come back as a value.
 */
export function printValue(value: string, style: TextStyle | undefined): string {
  if (style === "word") return PLAIN.test(value) ? value : quote(value, /["\\']/g);
  if (style === "always") return quote(value, /["\\]/g);
  const isPlain =
    value !== "" && value !== "!" && !/^"|[ \t\r\n]/.test(value) && !looksLikeOption(value);
  return isPlain ? value : quote(value, /["\\]/g);
}

/** True for `-x` and `--name`; `-5` is a number. */
export function looksLikeOption(word: string): boolean {
  return word.length > 1 && word.startsWith("-") && !/^-\d/.test(word);
}

function quote(value: string, escaped: RegExp): string {
  return `"${value.replace(escaped, "\\$&")}"`;
}
