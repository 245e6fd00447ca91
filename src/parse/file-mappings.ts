/** A part of a process's address space that shows a file and nothing else. */
export interface FileMapping {
  readonly startAddress: bigint;
  readonly bytes: number;
}

/**
 * The mappings of a process that show pages of a file which nobody can have changed: not writable, private,
 * and without a page of the process's own. From the text of /proc/[pid]/smaps, written by the kernel.
 * Mappings that cannot be read as such are left out. Source: proc_pid_smaps(5).
 */
export function unchangedFileMappings(smaps: string): readonly FileMapping[] {
  return smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m).flatMap((block) => {
    const head = /^([0-9a-f]{1,16})-([0-9a-f]{1,16}) r-[x-]p [0-9a-f]+ \S+ [1-9]\d* /.exec(block);
    const [, start, end] = head ?? [];
    if (start === undefined || end === undefined) return [];
    // Relocated data is read-only as well, and is no longer what the file holds.
    const isUnchanged = /^Private_Dirty: +0 kB$/m.test(block) && /^Anonymous: +0 kB$/m.test(block);
    if (!isUnchanged || /^VmFlags:.* lo\b/m.test(block)) return [];
    const startAddress = BigInt(`0x${start}`);
    return [{ startAddress, bytes: Number(BigInt(`0x${end}`) - startAddress) }];
  });
}
