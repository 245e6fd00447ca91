import type { Collector } from "../src/contract/collector.ts";
import { configurationError } from "./configuration-error/index.ts";
import { connectedHardware } from "./connected-hardware/index.ts";
import { connections } from "./connections/index.ts";
import { diagnostic } from "./diagnostic/index.ts";
import { droppedEventsStatistics } from "./dropped-events-statistics/index.ts";
import { firewall } from "./firewall/index.ts";
import { listeningPorts } from "./listening-ports/index.ts";
import { localUsers } from "./local-users/index.ts";
import { logins } from "./logins/index.ts";
import { messageStatistics } from "./message-statistics/index.ts";
import { osBaseline } from "./os-baseline/index.ts";
import { processes } from "./processes/index.ts";
import { systemInformation } from "./system-information/index.ts";

/** Every collector, one line per folder. Adding a collector is a folder and a line here. */
export const COLLECTORS: readonly Collector[] = [
  configurationError,
  connectedHardware,
  connections,
  diagnostic,
  droppedEventsStatistics,
  firewall,
  listeningPorts,
  localUsers,
  logins,
  messageStatistics,
  osBaseline,
  processes,
  systemInformation,
];
