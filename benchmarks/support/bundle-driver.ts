import { basename } from "node:path";
import { build } from "esbuild";
import { ROOT } from "../benchmark.ts";

/**
 * Builds a program of a benchmark as the agent itself is built: one minified file of CommonJS. It lies in
 * dist, from where the native library is found. Returns its path.
 */
export async function bundleDriver(source: string): Promise<string> {
  const outfile = `${ROOT}dist/benchmarks/${basename(source, ".ts")}.cjs`;
  await build({
    entryPoints: [`${ROOT}benchmarks/${source}`],
    outfile,
    bundle: true,
    minify: true,
    platform: "node",
    target: "node18.20",
    format: "cjs",
    mainFields: ["main", "module"],
    external: [
      "koffi",
      "bufferutil",
      "utf-8-validate",
      "azure-iot-device",
      "azure-iot-device-mqtt",
    ],
    define: { GATEWARDEN_VERSION: '"benchmark"' },
    logLevel: "error",
  });
  return outfile;
}
