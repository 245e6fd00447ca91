import { choice, optional, record, text, textMap } from "../../src/contract/schema.ts";

export const configurationErrorSettings = record({});

export const configurationErrorPayload = record({
  ConfigurationName: text({ maxLength: 1024, doc: "Key as the twin or configuration spells it" }),
  ErrorType: choice(["TypeMismatch", "NotOptimal", "Conflict"] as const, {
    doc: "Wrong type or bound, a value that wastes, or two values that contradict each other",
  }),
  UsedConfiguration: text({ doc: "The value in force" }),
  Message: text({ maxLength: 4096, doc: "What is wrong, and the form expected" }),
  ExtraDetails: optional(textMap({ doc: "Not used yet" })),
});
