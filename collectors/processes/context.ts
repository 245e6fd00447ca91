import type { CollectorContext } from "../../src/contract/collector.ts";
import type { Infer } from "../../src/contract/schema.ts";
import type { processesSettings } from "./schema.ts";

export type ProcessesContext = CollectorContext<Infer<typeof processesSettings>>;
