/** A real browser without a window, over the DevTools protocol. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/contract/json.ts";
import { until } from "../support/bundle.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];
const START_LIMIT_MS = 30_000;
const REPLY_LIMIT_MS = 20_000;

/** What a page did while it was opened. */
export interface PageVisit {
  /** Addresses asked for, the page's own first. */
  readonly requests: readonly string[];
  /** Errors, warnings and other words of the console, and what scripts threw. */
  readonly console: readonly string[];
  /** Value of an expression in the page. */
  evaluate(expression: string): Promise<JsonValue | undefined>;
}

export interface Browser {
  /** In a window of that width, in CSS pixels; without it, that of a desk. */
  open(url: string, widthPixels?: number): Promise<PageVisit>;
  close(): Promise<void>;
}

/** Name of a browser that is installed; undefined: none. */
export function findBrowser(): string | undefined {
  return NAMES.find((name) => spawnSync("which", [name]).status === 0);
}

type Listener = (method: string, params: JsonObject, session: string) => void;

interface Wire {
  readonly listeners: Set<Listener>;
  call(method: string, params?: JsonObject, session?: string): Promise<JsonObject>;
  close(): void;
}

export async function startBrowser(name: string): Promise<Browser> {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-browser-"));
  const child = spawn(
    name,
    [
      ...["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-extensions"],
      ...["--remote-debugging-port=0", `--user-data-dir=${folder}`, "about:blank"],
    ],
    { stdio: "ignore" },
  );
  const wire = await connect(join(folder, "DevToolsActivePort"));
  return {
    open: (url, widthPixels) => visit(wire, url, widthPixels),
    async close() {
      wire.close();
      await ended(child);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await exit;
}

async function connect(portFile: string): Promise<Wire> {
  const read = (): readonly string[] =>
    existsSync(portFile) ? readFileSync(portFile, "utf8").split("\n") : [];
  await until(() => read().length >= 2, "the browser's port", START_LIMIT_MS);
  const [port, path] = read();
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  const listeners = new Set<Listener>();
  const waiting = new Map<number, (reply: JsonObject) => void>();
  let last = 0;
  socket.on("message", (data) => {
    const said: JsonObject = JSON.parse(String(data));
    const { id, method, params, sessionId } = said;
    if (typeof id === "number") waiting.get(id)?.(said);
    if (typeof method !== "string" || !isJsonObject(params)) return;
    for (const listener of listeners) listener(method, params, String(sessionId ?? ""));
  });
  return {
    listeners,
    async call(method, params = {}, session) {
      last += 1;
      const id = last;
      let reply: JsonObject | undefined;
      waiting.set(id, (said) => {
        reply = said;
      });
      socket.send(JSON.stringify({ id, method, params, ...(session && { sessionId: session }) }));
      await until(() => reply !== undefined, method, REPLY_LIMIT_MS);
      waiting.delete(id);
      const result = reply?.["result"];
      if (!isJsonObject(result)) throw new Error(`${method}: ${JSON.stringify(reply)}`);
      return result;
    },
    close: () => socket.close(),
  };
}

async function visit(wire: Wire, url: string, widthPixels = 1280): Promise<PageVisit> {
  const requests: string[] = [];
  const words: string[] = [];
  let isLoaded = false;
  const { targetId } = await wire.call("Target.createTarget", { url: "about:blank" });
  const attached = await wire.call("Target.attachToTarget", {
    targetId: String(targetId),
    flatten: true,
  });
  const session = String(attached["sessionId"]);
  wire.listeners.add((method, params, from) => {
    if (from !== session) return;
    if (method === "Page.loadEventFired") isLoaded = true;
    if (method === "Network.requestWillBeSent") {
      const { request } = params;
      requests.push(String(isJsonObject(request) ? request["url"] : "?"));
    }
    const isSaid = ["Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"];
    if (isSaid.includes(method)) words.push(`${method}: ${JSON.stringify(params).slice(0, 500)}`);
  });
  for (const domain of ["Page", "Network", "Runtime", "Log"])
    await wire.call(`${domain}.enable`, {}, session);
  const screen = {
    width: widthPixels,
    height: 844,
    deviceScaleFactor: 1,
    mobile: widthPixels < 800,
  };
  await wire.call("Emulation.setDeviceMetricsOverride", screen, session);
  isLoaded = false;
  await wire.call("Page.navigate", { url }, session);
  await until(() => isLoaded, `${url} to load`, REPLY_LIMIT_MS);
  return {
    requests,
    console: words,
    async evaluate(expression) {
      const given = { expression, returnByValue: true, awaitPromise: true };
      const { result } = await wire.call("Runtime.evaluate", given, session);
      return isJsonObject(result) ? result["value"] : undefined;
    },
  };
}
