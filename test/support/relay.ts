/** A TCP relay that a test can cut, stall or shut: the network between a client and its server. */
import { connect, createServer, type Server, type Socket } from "node:net";
import { ownPort } from "./ports.ts";

export interface Relay {
  readonly port: number;
  /** Connections seen so far. */
  readonly accepted: number;
  /** Resets every connection. */
  cut(): void;
  /** Holds back what the server sends, until false. */
  stall(on: boolean): void;
  /** Stops listening and cuts; `open` listens on the same port again. */
  shut(): Promise<void>;
  open(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a relay to a loopback port. `isOpen` false keeps the port to itself but refuses at first. */
export async function startRelay(targetPort: number, isOpen = true): Promise<Relay> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const port = await ownPort();
  let accepted = 0;
  let isStalled = false;
  let server: Server | undefined;
  const cut = (): void => {
    for (const [inner, outer] of pairs) {
      inner.resetAndDestroy();
      outer.destroy();
    }
  };
  const open = async (): Promise<void> => {
    const made = createServer((inner) => {
      accepted += 1;
      const outer = connect({ port: targetPort, host: "127.0.0.1", noDelay: true });
      const pair = [inner, outer] as const;
      pairs.add(pair);
      inner.setNoDelay(true);
      inner.pipe(outer);
      outer.pipe(inner);
      if (isStalled) outer.pause();
      const end = (): void => {
        pairs.delete(pair);
        inner.destroy();
        outer.destroy();
      };
      for (const socket of pair) socket.on("error", end).on("close", end);
    });
    await new Promise<void>((done, failed) => {
      made.once("error", failed);
      made.listen(port, "127.0.0.1", () => done());
    });
    server = made;
  };
  const shut = async (): Promise<void> => {
    const closing = server;
    server = undefined;
    if (closing === undefined) return;
    const closed = new Promise<void>((done) => closing.close(() => done()));
    cut();
    await closed;
  };
  await open();
  if (!isOpen) await shut();
  return {
    port,
    get accepted() {
      return accepted;
    },
    cut,
    stall: (on) => {
      isStalled = on;
      for (const [, outer] of pairs) {
        if (on) outer.pause();
        else outer.resume();
      }
    },
    shut,
    open,
    close: shut,
  };
}
