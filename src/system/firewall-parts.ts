import type { Clock } from "../contract/clock.ts";
import type { Result } from "../contract/result.ts";
import type { CLibrary } from "./c-library.ts";
import type { Netlink } from "./netlink.ts";

/** What reading takes; all of it is asked only when needed. */
export interface FirewallParts {
  readonly readText: (path: string, maxBytes?: number) => Result<string>;
  /** Loaded once, at the first question. */
  readonly library: () => Result<CLibrary>;
  readonly netlink: () => Result<Netlink>;
  readonly clock: Clock;
}
