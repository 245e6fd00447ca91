import { liveEventsSuite } from "./live-events-suite.ts";

liveEventsSuite("bookworm", 20_000, true);
