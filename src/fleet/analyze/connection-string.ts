import { fail, ok, type Result } from "../../contract/result.ts";

/** What of a connection string is no secret. */
export interface ConnectionFacts {
  readonly host: string;
  readonly eventHub: string | undefined;
}

const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/;

/**
 * Looks at a connection string before the client does: the client's own errors quote it, key and all.
 * Errors: `malformed`, `unsupported`; none quotes anything of it.
 */
export function connectionFacts(text: string, subject: string): Result<ConnectionFacts> {
  const fields = new Map(
    text.split(";").flatMap((part): readonly (readonly [string, string])[] => {
      const at = part.indexOf("=");
      return at < 1 ? [] : [[part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim()]];
    }),
  );
  const host = /^sb:\/\/(\[[0-9a-f:]+\]|[^/:]+)(?::\d{1,5})?\/?$/i.exec(
    fields.get("endpoint") ?? "",
  );
  if (host?.[1] === undefined) return fail("malformed", subject, "has no Endpoint=sb://host/");
  const hasKey = fields.has("sharedaccesskeyname") && fields.has("sharedaccesskey");
  if (!hasKey && !fields.has("sharedaccesssignature")) {
    return fail("malformed", subject, "has no SharedAccessKeyName and SharedAccessKey");
  }
  const isPlain = fields.get("usedevelopmentemulator")?.toLowerCase() === "true";
  if (isPlain && !LOOPBACK.test(host[1])) {
    return fail("unsupported", subject, "asks for a connection without TLS to another machine");
  }
  return ok({ host: host[1], eventHub: fields.get("entitypath") });
}
