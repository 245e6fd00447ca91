import type { ChildProcess } from "node:child_process";

/** Lines that a child prints, as they come; `next` waits for one. */
export function linesOf(child: ChildProcess): { readonly all: string[]; next(): Promise<string> } {
  const all: string[] = [];
  let rest = "";
  let given = 0;
  let wake: (() => void) | undefined;
  let isEnded = false;
  child.stdout?.on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    all.push(...parts);
    wake?.();
  });
  child.once("close", () => {
    isEnded = true;
    wake?.();
  });
  return {
    all,
    async next() {
      while (given >= all.length) {
        if (isEnded) throw new Error("it ended without a word");
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      given += 1;
      return all[given - 1] ?? "";
    },
  };
}
