/**
 * Whether a text is as a pattern with `*` and `?` says, in time of at most the product of both lengths.
 * Source: glob(7), without classes.
 */
export function fitsWildcard(pattern: string, text: string): boolean {
  let inPattern = 0;
  let starAt = -1;
  let resumeAt = 0;
  for (let at = 0; at < text.length; ) {
    const wanted = pattern.charAt(inPattern);
    if (wanted === "*") {
      starAt = inPattern;
      resumeAt = at;
      inPattern += 1;
    } else if (wanted !== "" && (wanted === "?" || wanted === text.charAt(at))) {
      inPattern += 1;
      at += 1;
    } else if (starAt >= 0) {
      // The last star takes one character more.
      inPattern = starAt + 1;
      resumeAt += 1;
      at = resumeAt;
    } else return false;
  }
  return /^\**$/.test(pattern.slice(inPattern));
}
