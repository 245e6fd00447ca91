import { createRequire } from "node:module";
import type { Plugin } from "esbuild";

/**
 * What packages bring along and the agent never uses, by the name they ask for: each costs memory on every
 * gateway, as text, as parsed code and as parts of Node that it loads. The figures are in
 * docs/benchmarks/log.md.
 */
const REPLACED: Readonly<Record<string, string>> = {
  // File upload is the only user of the Azure storage client (1.2 MB, 14 MB RSS): we never upload.
  "@azure/storage-blob": "module.exports = {};",
  // The streams of Node as of some years ago, for browsers; Node has its own.
  "readable-stream": 'module.exports = require("node:stream");',
  // Timers of browsers, in a worker. `timerVariant: "native"` never asks for them.
  "worker-timers": "module.exports = {};",
  // Proxies: the stream is dialled by the agent.
  socks: "module.exports = {};",
  // Log transports in a thread, and files: our destination writes by itself.
  "thread-stream": "module.exports = class ThreadStream {};",
  "sonic-boom": "module.exports = class SonicBoom {};",
  // Debug output by an environment variable, which would hold tokens.
  debug:
    "module.exports = () => Object.assign(() => {}, { enabled: false, extend: () => () => {} });",
};

/** Replaces what is never used, and takes of the package `mqtt` the client without its ways to connect. */
export const leanPackages: Plugin = {
  name: "lean-packages",
  setup(builder) {
    const names = Object.keys(REPLACED).map((name) => name.replace(/[/-]/g, "\\$&"));
    builder.onResolve({ filter: new RegExp(`^(${names.join("|")})$`) }, ({ path }) => ({
      path,
      namespace: "replaced",
    }));
    builder.onLoad({ filter: /.*/, namespace: "replaced" }, ({ path }) => ({
      contents: REPLACED[path] ?? "",
      loader: "js",
    }));
    // Its exports name no file of the client alone.
    const client = createRequire(import.meta.url)
      .resolve("mqtt")
      .replace(/index\.js$/, "lib/client.js");
    builder.onResolve({ filter: /^mqtt$/ }, ({ importer }) =>
      importer.includes("/src/") && !importer.includes("node_modules")
        ? { path: client, namespace: "mqtt-client" }
        : undefined,
    );
    builder.onLoad({ filter: /.*/, namespace: "mqtt-client" }, ({ path }) => ({
      contents: `module.exports = { MqttClient: require(${JSON.stringify(path)}).default };`,
      loader: "js",
      resolveDir: "/",
    }));
  },
};
