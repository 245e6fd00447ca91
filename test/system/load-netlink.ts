import { ok, type Result } from "../../src/contract/result.ts";
import { loadCLibrary } from "../../src/system/c-library.ts";
import { createNetlink, type Netlink } from "../../src/system/netlink.ts";

/** Netlink of this machine; a problem where koffi does not fit it. */
export function loadNetlink(): Result<Netlink> {
  const library = loadCLibrary();
  return library.ok ? ok(createNetlink(library.value)) : library;
}
