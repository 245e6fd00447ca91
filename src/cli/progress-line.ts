import { systemClock } from "../system/clock.ts";
import type { Terminal } from "./terminal.ts";

/** Time between two changes of the progress line, ms. */
const PROGRESS_MS = 100;
const BAR_WIDTH = 30;

/** Shows a line on the terminal, not more often than an eye can follow. */
export function createProgressLine(terminal: Terminal): (line: string) => void {
  let shownMs = Number.NEGATIVE_INFINITY;
  return (line) => {
    const nowMs = systemClock.monotonicMs();
    if (nowMs - shownMs < PROGRESS_MS) return;
    shownMs = nowMs;
    terminal.status(line);
  };
}

/** `[####      ] 80 of 237 checks` */
export function checksBar(done: number, total: number): string {
  const filled = Math.round((done / Math.max(1, total)) * BAR_WIDTH);
  return `[${"#".repeat(filled)}${" ".repeat(BAR_WIDTH - filled)}] ${done} of ${total} checks`;
}
