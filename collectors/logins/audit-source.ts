import type { Result } from "../../src/contract/result.ts";
import { parseAuditRecord } from "../../src/parse/audit-record.ts";
import { readAuditLogin } from "../../src/parse/login/audit-login.ts";
import type { LoginsContext } from "./desk.ts";
import type { SeenLogin } from "./seen-login.ts";

const HEADER_BYTES = 16;
const utf8 = new TextDecoder();

/**
 * Listens to audit records of user space. The kernel hands them out only while auditing is on, which no
 * listener can tell. Errors: `not-permitted` without CAP_AUDIT_READ. Source: linux/audit.h.
 */
export function listenToAudit(
  context: LoginsContext,
  onLogin: (login: SeenLogin, serial: number) => void,
): Result<() => void> {
  const { probe, agent, log } = context;
  const opened = probe.listen("audit", {
    onDatagram(bytes) {
      if (bytes.length < HEADER_BYTES) return;
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const type = view.getUint16(4, probe.endianness === "LE");
      const record = parseAuditRecord(
        utf8.decode(bytes.subarray(HEADER_BYTES)).replace(/\0+$/, ""),
      );
      const found = record === undefined ? undefined : readAuditLogin(type, record);
      if (record === undefined || found === undefined) return;
      onLogin(
        { ...found, executable: record.fields.get("exe"), occurredAtMs: record.timeMs },
        record.serial,
      );
    },
    onOverrun: (lost) => agent.countLoss("Login", "audit-overrun", lost ?? 0),
    onEnd: (problem) => log.warn({ reason: problem.detail }, "audit records ended"),
  });
  return opened.ok ? { ok: true, value: () => opened.value.stop() } : opened;
}
