/**
 * One side of a UDP flow; says its pid, and ends with standard input.
 *
 *   udp-peer.ts bind PORT
 *   udp-peer.ts send PORT ADDRESS
 */
import { createSocket } from "node:dgram";

const [mode = "", port = "", address = ""] = process.argv.slice(2);
const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
const ready = (): void => {
  process.stdout.write(`${JSON.stringify({ processId: process.pid })}\n`);
};
if (mode === "bind") socket.bind(Number(port), ready);
else socket.send("x", Number(port), address, ready);
process.stdin.resume().once("end", () => process.exit(0));
