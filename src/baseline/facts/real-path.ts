import type { Device } from "../device.ts";

/** Folders that are links on most systems. Source: file-hierarchy(7). */
const LINKED = ["/var/run", "/usr/sbin", "/lib64", "/sbin", "/lib", "/bin"];

/** `/usr/bin/su` for `/bin/su`, where the one folder is a link to the other. */
export function realPath(device: Device, path: string): string {
  let real = path;
  for (let round = 0; round < 3; round += 1) {
    const before = real;
    for (const folder of LINKED) {
      if (real !== folder && !real.startsWith(`${folder}/`)) continue;
      const target = device.link(folder);
      if (target.state !== "value") continue;
      const parent = folder.slice(0, folder.lastIndexOf("/"));
      const absolute = target.value.startsWith("/") ? target.value : `${parent}/${target.value}`;
      // `../run` of /var/run is the only one that climbs.
      const plain = absolute.replace(/[^/]+\/\.\.\//g, "").replace(/\/+$/, "");
      real = `${plain}${real.slice(folder.length)}`;
    }
    if (real === before) break;
  }
  return real;
}
