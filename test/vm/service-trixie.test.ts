import { serviceSuite } from "./service-suite.ts";

serviceSuite("trixie");
