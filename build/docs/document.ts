/** A file that is written, wholly or between markers, from what the code declares. */
export interface GeneratedDocument {
  /** Relative to the project root. */
  readonly path: string;
  /** The text as it should be. `current` is the file's text, empty when there is no file yet. */
  render(current: string): string;
}

/**
 * Replaces what stands between `<!-- generated:NAME -->` and the next `<!-- /generated -->`. Throws
 * when the markers are not there: a document that silently stays as it is would look up to date.
 */
export function replaceSection(text: string, name: string, body: string): string {
  const open = `<!-- generated:${name} -->`;
  const close = "<!-- /generated -->";
  const start = text.indexOf(open);
  const end = text.indexOf(close, start);
  if (start < 0 || end < 0) throw new Error(`the markers ${open} … ${close} are missing`);
  return `${text.slice(0, start + open.length)}\n\n${body.trim()}\n\n${text.slice(end)}`;
}
