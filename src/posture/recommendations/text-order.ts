/** Order of UTF-16 units, the same in every locale: negative when `left` comes first. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** Order in which numbers between dots count as numbers: `1.2.9` before `1.2.10`. */
export function compareNumbered(left: string, right: string): number {
  const a = left.split(".");
  const b = right.split(".");
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const one = a[at] ?? "";
    const other = b[at] ?? "";
    if (one === other) continue;
    const bothNumbers = /^\d+$/.test(one) && /^\d+$/.test(other);
    const difference = bothNumbers ? Number(one) - Number(other) : 0;
    return difference === 0 ? compareText(one, other) : difference;
  }
  return 0;
}
