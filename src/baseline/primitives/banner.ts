import { parseOsRelease } from "../../parse/os-release.ts";
import { type Device, oncePerDevice } from "../device.ts";
import { type Fact, orElse, valueFact } from "../fact.ts";
import { linesOfFiles } from "../facts/config-text.ts";
import { because, decide, evidence, type Outcome } from "../outcome.ts";

/** A text that strangers see, which must not tell what system this is. */
export interface BannerCheck {
  readonly test: "banner";
  /** Paths, with wildcards where several. Does not apply when none is there. */
  readonly files: readonly string[];
}

/** Escapes for the name, version, machine and release of the system. Source: agetty(8), issue(5). */
const ESCAPES = /\\[mrsv]/i;

/** Words in lower case with one blank around each, whatever stands between them. */
function plainWords(text: string): string {
  return ` ${text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ")} `.replace(/ +/g, " ");
}

/** Words by which the distribution is known: its id and the first word of its name. */
const systemWords = oncePerDevice((device): Fact<readonly string[]> => {
  const first = device.text("/etc/os-release");
  const text = first.state === "missing" ? device.text("/usr/lib/os-release") : first;
  const known = orElse(text, "");
  if (known.state !== "value") return known;
  const fields = parseOsRelease(known.value);
  const words = [fields.get("ID") ?? "", fields.get("NAME")?.split(/\s/)[0] ?? ""];
  return valueFact(words.map(plainWords).filter((word) => word.trim() !== ""));
});

/** Looks for escapes and for the distribution's name. */
export function judgeBanner(check: BannerCheck, device: Device): Outcome {
  const place = check.files.join(", ");
  const lines = linesOfFiles(device, check.files);
  if (lines.state === "unreadable") return because("error", lines.reason);
  if (lines.state === "missing") return because("not-applicable", `${place}: not there`);
  const words = systemWords(device);
  if (words.state === "unreadable") return because("error", words.reason);
  const expected = "no \\m, \\r, \\s or \\v and no name of the distribution";
  const names = words.state === "value" ? words.value : [];
  const hit = lines.value.find(
    ({ text }) => ESCAPES.test(text) || names.some((word) => plainWords(text).includes(word)),
  );
  const found = hit === undefined ? "neither" : `${hit.path}, line ${hit.number}: ${hit.text}`;
  return decide(hit === undefined, evidence(place, expected, found));
}
