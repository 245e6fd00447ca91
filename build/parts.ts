import type { Plugin } from "esbuild";

/** A file of dist/ of its own, which the others load when they need it, by its name. */
export interface Part {
  readonly file: string;
  /** Source file it begins with. */
  readonly entry?: string;
  /** Packages that are in it, each under its own name in what the file exports. */
  readonly packages?: readonly string[];
}

/**
 * One process parses the whole text of each file that it loads and keeps it as long as it runs, also what it
 * never calls: hence what the running agent can do without is elsewhere.
 */
export const PARTS: readonly Part[] = [
  { file: "gatewarden-agent.js", entry: "src/cli/agent-main.ts" },
  { file: "gatewarden-tools.js", entry: "src/cli/main.ts" },
  {
    file: "gatewarden-azure.js",
    packages: [
      "azure-iot-device",
      "azure-iot-device-mqtt",
      "azure-iot-mqtt-base/node_modules/mqtt-packet/mqtt.js",
    ],
  },
  { file: "gatewarden-yaml.js", packages: ["yaml"] },
];

/** Text of the file that a part of packages is built from. */
export function packagesText(packages: readonly string[]): string {
  return packages
    .map((name) => `exports[${JSON.stringify(name)}] = require(${JSON.stringify(name)});`)
    .join("\n");
}

/** Makes imports of another part load its file. `own` is the file that is being built. */
export function partsBut(own: string): Plugin {
  const others = PARTS.filter((part) => part.file !== own);
  return {
    name: "parts",
    setup(builder) {
      for (const { file, entry, packages = [] } of others) {
        if (entry !== undefined) {
          const name = entry.slice(entry.lastIndexOf("/") + 1).replaceAll(".", "\\.");
          builder.onResolve({ filter: new RegExp(`^\\./${name}$`) }, ({ kind }) =>
            kind === "dynamic-import" ? { path: `./${file}`, external: true } : undefined,
          );
        }
        for (const name of packages) {
          const filter = new RegExp(`^${name.replace(/[./-]/g, "\\$&")}$`);
          builder.onResolve({ filter }, () => ({ path: name, namespace: file }));
        }
        builder.onResolve({ filter: /^\.\/gatewarden-/ }, ({ path }) => ({ path, external: true }));
        builder.onLoad({ filter: /.*/, namespace: file }, ({ path }) => ({
          contents: `module.exports = require("./${file}")[${JSON.stringify(path)}];`,
          loader: "js",
        }));
      }
    },
  };
}
