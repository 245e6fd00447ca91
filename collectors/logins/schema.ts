import { choice, integer, optional, record, text, textMap } from "../../src/contract/schema.ts";
import { isIpAddress } from "../../src/parse/addresses.ts";

export const loginsSettings = record({
  source: choice(["auto", "journal", "text", "utmp", "audit"] as const, {
    default: "auto",
    doc: "Where logins are read; auto takes the first of them that there is",
  }),
});

export const loginPayload = record({
  ProcessId: integer({ min: 0, doc: "Process that decided: `_PID`, or in brackets in the log" }),
  UserName: text({
    maxLength: 256,
    doc: "Whom somebody wanted to be, as typed; empty where the source does not say",
  }),
  Operation: text({
    maxLength: 64,
    doc: "`sshd`, `su`, `sudo`, `login`, `dropbear`, or a PAM service",
  }),
  Executable: text({ maxLength: 1_024, doc: "Program: `_EXE`, or where it is by default" }),
  RemoteAddress: optional(
    text({
      maxLength: 45,
      form: "an IPv4 or IPv6 address",
      accepts: isIpAddress,
      doc: "From where, RFC 5952 form; absent for local ones",
    }),
  ),
  RemotePort: optional(text({ maxLength: 5, doc: "Port at the other side" })),
  Result: choice(["Success", "Fail"] as const, { doc: "Whether somebody was let in" }),
  ExtraDetails: optional(
    textMap({
      doc: "`Sources` that saw it; `Terminal`; `Method`; `ByUser` and `Command` of su and sudo; `Reason` and `Attempts` of what was refused; `InvalidUser` when there is no such user; `RemoteHost` where only a name is known",
    }),
  ),
});
