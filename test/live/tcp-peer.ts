/**
 * One side of a storm of short connections; says on standard output, as one JSON line, what it did.
 *
 *   tcp-peer.ts serve PORT
 *   tcp-peer.ts connect PORT COUNT ADDRESS…
 */
import { once } from "node:events";
import { connect, createServer } from "node:net";

/** As the machine it runs on sees it: `localAddress localPort remoteAddress remotePort`. */
export type Tuple = string;

const AT_ONCE = 4;
/** What a connection lasts, a few milliseconds: about as long as a small request. */
const HELD_MS = 5;
const [mode = "", port = "", count = "", ...addresses] = process.argv.slice(2);

function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

function plain(address: string | undefined): string {
  return (address ?? "").replace(/^::ffff:/, "");
}

function serve(): void {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => setTimeout(() => socket.end("y"), HELD_MS));
  });
  server.listen({ port: Number(port), host: "::", backlog: 1_024 }, () =>
    say({ processId: process.pid }),
  );
  process.stdin.resume().once("end", () => process.exit(0));
}

async function connectOnce(address: string): Promise<Tuple | undefined> {
  const socket = connect({ port: Number(port), host: address });
  try {
    await once(socket, "connect");
    const tuple = `${plain(socket.localAddress)} ${socket.localPort} ${address} ${port}`;
    socket.end("x");
    socket.resume();
    await once(socket, "close");
    return tuple;
  } catch {
    return undefined;
  }
}

async function connectAll(): Promise<void> {
  const tuples: Tuple[] = [];
  let failed = 0;
  let begun = 0;
  async function lane(): Promise<void> {
    while (begun < Number(count)) {
      const address = addresses[begun % addresses.length] ?? "";
      begun += 1;
      const tuple = await connectOnce(address);
      if (tuple === undefined) failed += 1;
      else tuples.push(tuple);
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  say({ processId: process.pid, failed, tuples });
}

if (mode === "serve") serve();
else void connectAll();
