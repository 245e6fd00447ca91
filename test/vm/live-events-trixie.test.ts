import { liveEventsSuite } from "./live-events-suite.ts";

liveEventsSuite("trixie", 2_000);
