/** The event hub server in a process of its own: the clients' CPU time and deaths are then theirs alone. */
import { type EventHubServer, type ServerForm, startEventHubServer } from "./event-hub-server.ts";
import type { StoredEvent } from "./partition-log.ts";

export type ServerCommand =
  | { readonly do: "start"; readonly form: ServerForm }
  | {
      readonly do: "append";
      readonly hub: string;
      readonly partition: number;
      readonly events: readonly StoredEvent[];
    }
  | {
      readonly do: "trim";
      readonly hub: string;
      readonly partition: number;
      readonly below: number;
    }
  | { readonly do: "pause" | "resume" | "facts" | "stop" }
  | { readonly do: "refuseTokens" | "stall"; readonly isOn: boolean };

export interface ServerFacts {
  readonly port: number;
  readonly readers: Readonly<Record<string, number>>;
  readonly sentCount: number;
}

let server: EventHubServer | undefined;

async function obey(command: ServerCommand): Promise<ServerFacts | undefined> {
  if (command.do === "start") server = await startEventHubServer(command.form);
  if (server === undefined) throw new Error("the server was not started");
  switch (command.do) {
    case "append":
      server.append(command.hub, command.partition, command.events);
      break;
    case "trim":
      server.trim(command.hub, command.partition, command.below);
      break;
    case "pause":
      server.pause();
      break;
    case "resume":
      server.resume();
      break;
    case "refuseTokens":
      server.refuseTokens(command.isOn);
      break;
    case "stall":
      server.stall(command.isOn);
      break;
    case "stop":
      await server.close();
      process.disconnect();
      return undefined;
    default:
  }
  return { port: server.port, readers: server.readers(), sentCount: server.sentCount() };
}

process.on("message", ({ id, command }: { id: number; command: ServerCommand }) => {
  obey(command).then(
    (facts) => process.connected && process.send?.({ id, facts }),
    (error: unknown) => process.connected && process.send?.({ id, error: String(error) }),
  );
});
process.on("disconnect", () => process.exit(0));
