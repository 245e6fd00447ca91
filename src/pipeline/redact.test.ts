import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { EventDraft } from "../contract/event.ts";
import { createSecretMask } from "../parse/mask-secrets.ts";
import { redact } from "./redact.ts";

describe("redaction before anything is stored", () => {
  const mask = createSecretMask([/\bK-[0-9]{4}\b/gu]);

  it("masks what has the form of a secret in command lines, of payloads and of details", () => {
    const draft: EventDraft = {
      name: "Login",
      payload: [
        {
          CommandLine: "curl https://ops:hunter2@example.org/",
          UserName: "K-1234",
          ExtraDetails: { Command: "/usr/bin/tool K-1234 --token hunter2", Terminal: "pts/0" },
        },
      ],
    };
    assert.deepEqual(redact(draft, mask).payload, [
      {
        CommandLine: "curl https://ops:***@example.org/",
        UserName: "K-1234",
        ExtraDetails: { Command: "/usr/bin/tool *** --token ***", Terminal: "pts/0" },
      },
    ]);
  });

  it("leaves events without command lines as they are", () => {
    const draft: EventDraft = { name: "ListeningPorts", payload: [{ LocalPort: "22" }] };
    assert.equal(redact(draft, mask), draft);
  });
});
