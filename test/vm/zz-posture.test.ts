import { it } from "node:test";
import { buildPackage, openGateway } from "./gateway.ts";
import { plainScan } from "./plain-scan.ts";
import { doWrong, findAlerts, watchPosture } from "./posture-steps.ts";

it("posture", { timeout: 1_200_000 }, async () => {
  const gateway = await openGateway("bookworm");
  try {
    await gateway.install(buildPackage());
    await gateway.setUp();
    await gateway.until("the first message", () => gateway.messages.length > 0);
    try {
      await plainScan(gateway, "bookworm");
    } catch (e) {
      gateway.say(`SCAN ${String(e)}`);
    }
    gateway.desire({
      snapshotFrequency: "PT10S",
      highPriorityMessageFrequency: "PT2S",
      lowPriorityMessageFrequency: "PT3S",
    });
    const w = watchPosture(gateway);
    await doWrong(gateway, w);
    gateway.say("done wrong");
    try {
      await findAlerts(gateway, w);
      gateway.say("FOUND");
    } finally {
      const fs = await import("node:fs");
      fs.writeFileSync("/tmp/b7V/items.json", JSON.stringify(w.items, null, 1));
      fs.writeFileSync("/tmp/b7V/msgs.json", JSON.stringify(gateway.messages));
    }
  } finally {
    await gateway.close();
  }
});
