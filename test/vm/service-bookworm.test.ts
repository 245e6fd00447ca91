import { serviceSuite } from "./service-suite.ts";

serviceSuite("bookworm");
