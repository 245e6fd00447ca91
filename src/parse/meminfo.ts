/**
 * Sizes of /proc/meminfo by name, in kB as the kernel prints them (units of 1,024 bytes); lines of
 * another form, such as counts of huge pages, are skipped. Source: proc_meminfo(5).
 */
export function parseMeminfo(text: string): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const line of text.split("\n")) {
    const match = /^([A-Za-z][\w()]{0,63}):\s+(\d{1,15}) kB\s*$/.exec(line.slice(0, 256));
    if (match?.[1] !== undefined) sizes.set(match[1], Number(match[2]));
  }
  return sizes;
}
