import type { Device } from "../device.ts";
import { type ConfigLine, linesOfFiles, withoutComments } from "../facts/config-text.ts";
import { because, decide, evidence, type Outcome } from "../outcome.ts";

/** Whether lines of text files match a regular expression. Comment lines do not count. */
export interface LinesCheck {
  readonly test: "lines";
  /** Paths, with wildcards where several. */
  readonly files: readonly string[];
  /** Tried on each trimmed line, ignoring case. */
  readonly pattern: string;
  /** `some`: a line must match; `none`: no line may. */
  readonly want: "some" | "none";
  /** What is looked for, in words. */
  readonly what: string;
  /** Characters that make a line a comment; `#` where absent. The empty text: every line counts. */
  readonly comments?: string;
  /** What it means when no file is there; `not-applicable` where absent. */
  readonly whenMissing?: "pass" | "fail" | "not-applicable";
}

/** Looks for a line. The evidence shows the place, not the line of a secret file. */
export function judgeLines(check: LinesCheck, device: Device): Outcome {
  const place = check.files.join(", ");
  const lines = linesOfFiles(device, check.files);
  if (lines.state === "unreadable") return because("error", lines.reason);
  const expected = check.want === "some" ? check.what : `no ${check.what}`;
  if (lines.state === "missing") {
    const verdict = check.whenMissing ?? "not-applicable";
    if (verdict === "not-applicable") return because(verdict, `${place}: not there`);
    return decide(verdict === "pass", evidence(place, expected, "not there"));
  }
  const matcher = new RegExp(check.pattern, "i");
  const hit = withoutComments(lines.value, check.comments).find(({ text }) => matcher.test(text));
  const found = hit === undefined ? "no such line" : foundText(hit);
  return decide((hit !== undefined) === (check.want === "some"), evidence(place, expected, found));
}

/** Place and text of a line; password hashes are left out. */
function foundText({ path, number, text }: ConfigLine): string {
  const isSecret = /shadow|password|pbkdf2|secret/i.test(`${path} ${text}`);
  return `${path}, line ${number}${isSecret ? "" : `: ${text}`}`;
}
