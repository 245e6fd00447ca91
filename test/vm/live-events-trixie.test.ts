import { liveEventsSuite } from "./live-events-suite.ts";

liveEventsSuite("trixie", 1_000, false);
