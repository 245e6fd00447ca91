declare const GATEWARDEN_VERSION: string | undefined;

/** The released version, written in by the bundler; `0.0.0-source` when run from source. */
export const VERSION: string =
  typeof GATEWARDEN_VERSION === "string" ? GATEWARDEN_VERSION : "0.0.0-source";
