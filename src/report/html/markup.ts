/** Markup that is finished: texts in it are escaped. Only this file makes it. */
export interface Markup {
  readonly html: string;
}

type Part = string | number | Markup | readonly Markup[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Text as content or as a quoted attribute of HTML. Control characters, half surrogate pairs and marks that
 * reorder text become U+FFFD: a browser would drop them, or show another text than the device's.
 * Source: HTML Standard, section 13.3.
 */
export function escapeText(text: string): string {
  return text
    .replace(
      // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
      "\ufffd",
    )
    .replace(/[&<>"']/g, (found) => ENTITIES[found] ?? "");
}

/** A template of HTML: what is put into it is escaped unless it is markup already. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const [first = "", ...rest] = texts;
  return { html: first + rest.map((text, at) => partText(parts[at]) + text).join("") };
}

function partText(part: Part | undefined): string {
  if (part === undefined) return "";
  if (typeof part === "string" || typeof part === "number") return escapeText(String(part));
  if ("html" in part) return part.html;
  return part.map((one) => one.html).join("");
}

/** Text of this project, such as a style sheet, as it is. Never for texts of a device. */
export function ownMarkup(text: string): Markup {
  return { html: text };
}

/** No markup at all. */
export const NOTHING: Markup = { html: "" };
