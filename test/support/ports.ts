/** Ports for servers that must come back on the same one, or that cannot pick one themselves. */
import { createServer } from "node:net";

/** Below the range that the kernel hands out on its own. Source: ip(7), ip_local_port_range. */
const FIRST = 10_000;
const SPAN = 20_000;
const PER_PROCESS = 100;

let taken = 0;

/**
 * A loopback port that nobody listens on, in a range of this process: test files run at the same time,
 * and a port that the kernel picked could be given to another of them while it is not in use.
 */
export async function ownPort(): Promise<number> {
  for (let attempt = 0; attempt < SPAN; attempt += 1) {
    const port = FIRST + ((process.pid * PER_PROCESS + taken) % SPAN);
    taken += 1;
    if (await isFree(port)) return port;
  }
  throw new Error("no free port");
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isListening = await new Promise<boolean>((done) => {
    server.once("error", () => done(false));
    server.listen(port, "127.0.0.1", () => done(true));
  });
  if (isListening) await new Promise<void>((done) => server.close(() => done()));
  return isListening;
}
