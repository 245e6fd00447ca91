/** Control characters, line separators and marks that reorder text: what a name must not smuggle in. */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
  /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text that a stranger chose (a process name, a unit, a device string) as one harmless line: unsafe
 * characters become U+FFFD, white space around it goes, and it is cut at `maxLength` UTF-16 units,
 * never inside a surrogate pair. Nothing left yields the empty string.
 */
export function plainText(text: string, maxLength = 256): string {
  const line = text
    .slice(0, maxLength * 2)
    .trim()
    .replace(UNSAFE, "\ufffd");
  if (line.length <= maxLength) return line;
  const last = line.charCodeAt(maxLength - 1);
  const isSplitPair = last >= 0xd800 && last <= 0xdbff;
  return line.slice(0, isSplitPair ? maxLength - 1 : maxLength);
}

/** Content of a one-value kernel file (sysfs, device tree): without the closing newline or NUL. */
export function singleValue(text: string, maxLength = 256): string {
  return plainText(text.slice(0, maxLength * 4).replace(/[\s\0]+$/, ""), maxLength);
}
