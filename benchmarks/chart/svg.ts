/** The little SVG that the charts need, in colours that follow the reader's light or dark page. */

/** Line colours: told apart by people who see colours differently. Source: Okabe and Ito's palette. */
const LIGHT = ["#0072b2", "#d55e00", "#008060", "#b0508f", "#9a6a00", "#4a7a9c", "#777777"];
const DARK = ["#56b4e9", "#ff8c42", "#2ecc9b", "#e59ac8", "#e6b400", "#a5cbe6", "#b0b0b0"];

export const COLOURS = LIGHT.length;

export const FONT_PX = 13;
/** Width of an average letter of the font. */
const LETTER_PX = 7;

export function textWidth(text: string): number {
  return text.length * LETTER_PX;
}

/** `&`, `<`, `>` and quotes as entities. */
export function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

type Attributes = Readonly<Record<string, string | number>>;

/** An element; numbers are rounded to a tenth of a pixel. */
export function element(name: string, attributes: Attributes, content = ""): string {
  const written = Object.entries(attributes).map(([key, value]) => {
    const text = typeof value === "number" ? String(Math.round(value * 10) / 10) : escaped(value);
    return ` ${key}="${text}"`;
  });
  return content === ""
    ? `<${name}${written.join("")}/>`
    : `<${name}${written.join("")}>${content}</${name}>`;
}

export function label(text: string, x: number, y: number, attributes: Attributes = {}): string {
  return element("text", { x, y, ...attributes }, escaped(text));
}

/** A whole file. `title` and `description` are what a screen reader says. */
export function svgFile(
  size: { readonly width: number; readonly height: number },
  words: { readonly title: string; readonly description: string },
  body: readonly string[],
): string {
  const open = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}" role="img" aria-labelledby="title description">`;
  return [
    open,
    `<title id="title">${escaped(words.title)}</title>`,
    `<desc id="description">${escaped(words.description)}</desc>`,
    `<style>${style()}</style>`,
    element("rect", { class: "page", ...size }),
    ...body,
    "</svg>",
    "",
  ].join("\n");
}

function style(): string {
  const colours = (list: readonly string[]): string =>
    list.map((colour, at) => `--c${at}:${colour}`).join(";");
  const classes = LIGHT.map(
    (_, at) => `.c${at}{stroke:var(--c${at})}.f${at}{fill:var(--c${at})}`,
  ).join("");
  return [
    `:root{--page:#fff;--ink:#222;--soft:#666;--grid:#e4e4e4;${colours(LIGHT)}}`,
    `@media(prefers-color-scheme:dark){:root{--page:#0d1117;--ink:#e6e6e6;--soft:#9aa4af;--grid:#2a313a;${colours(DARK)}}}`,
    `text{font:${FONT_PX}px system-ui,"Liberation Sans",Arial,sans-serif;fill:var(--ink)}`,
    ".title{font-size:16px;font-weight:600}.soft{fill:var(--soft)}.page{fill:var(--page)}",
    ".grid{stroke:var(--grid);stroke-width:1}.line{fill:none;stroke-width:2}.range{stroke-width:1.2;opacity:.6}",
    classes,
  ].join("");
}
