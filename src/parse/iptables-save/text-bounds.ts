/**
 * How many characters of `text` fit into `maxBytes` of UTF-8: `text.length` where all do.
 * Cost: none where even three bytes for each character would fit, otherwise one pass.
 */
export function boundedLength(text: string, maxBytes: number): number {
  if (text.length * 3 <= maxBytes) return text.length;
  let bytes = 0;
  for (let at = 0; at < text.length; at += 1) {
    bytes += bytesOf(text.charCodeAt(at));
    if (bytes > maxBytes) return at;
  }
  return text.length;
}

/** Of one UTF-16 unit; the two halves of a pair take two each, four together. */
function bytesOf(unit: number): number {
  if (unit < 0x80) return 1;
  if (unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff)) return 2;
  return 3;
}
