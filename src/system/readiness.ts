import { endianness } from "node:os";
import type { CLibrary } from "./c-library.ts";

const POLLIN = 0x1;
const POLL_ENTRY_BYTES = 8;
/** Source: eventfd(2), EFD_NONBLOCK and EFD_CLOEXEC. */
const EVENT_FLAGS = 0o2004000;

/** Waits for descriptors to become readable, without polling and without blocking Node. */
export interface Readiness {
  /**
   * Calls `onReadable` as often as the descriptor has something to read: the callback should read all
   * of it. Returns what ends it; safe to call twice.
   */
  watch(descriptor: number, onReadable: () => void): () => void;
}

/**
 * One thread of Node's pool sits in poll(2) over all descriptors; an event descriptor (eventfd) wakes it
 * when they change. Nothing runs while nothing happens, and without watches the thread is free. Node
 * joins its threads when it exits, so the thread is woken then as well. While something is watched, the
 * process does not end by itself. Source: poll(2), eventfd(2).
 */
export function createReadiness(library: CLibrary): Readiness {
  const watched = new Map<number, () => void>();
  let wakeDescriptor: number | undefined;
  let isWaiting = false;

  function wake(): void {
    if (wakeDescriptor !== undefined) library.write(wakeDescriptor, ONE, ONE.length);
  }

  function wait(): void {
    if (isWaiting || watched.size === 0) return;
    wakeDescriptor ??= openWakeDescriptor(library, wake);
    const descriptors = [wakeDescriptor, ...watched.keys()];
    const set = pollSet(descriptors);
    isWaiting = true;
    library.pollApart(set, descriptors.length, () => {
      isWaiting = false;
      const ready = readyIn(set, descriptors);
      if (wakeDescriptor !== undefined && ready.includes(wakeDescriptor)) {
        library.read(wakeDescriptor, new Uint8Array(8), 8);
      }
      // A callback may stop another watch: ask for each one anew.
      for (const descriptor of ready) watched.get(descriptor)?.();
      wait();
    });
  }

  return {
    watch(descriptor, onReadable) {
      watched.set(descriptor, onReadable);
      if (isWaiting) wake();
      else wait();
      return () => {
        if (watched.get(descriptor) !== onReadable) return;
        watched.delete(descriptor);
        wake();
      };
    },
  };
}

/** The number that an event descriptor counts up by. Source: eventfd(2): eight bytes, host order. */
const ONE = new Uint8Array(BigUint64Array.of(1n).buffer);

function openWakeDescriptor(library: CLibrary, wake: () => void): number {
  const descriptor = library.eventDescriptor(0, EVENT_FLAGS);
  process.once("exit", wake);
  return descriptor;
}

/** Entries of poll(2) that ask whether each descriptor can be read: struct pollfd. */
export function pollSet(descriptors: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(descriptors.length * POLL_ENTRY_BYTES));
  const isLittle = endianness() === "LE";
  for (const [at, descriptor] of descriptors.entries()) {
    view.setInt32(at * POLL_ENTRY_BYTES, descriptor, isLittle);
    view.setInt16(at * POLL_ENTRY_BYTES + 4, POLLIN, isLittle);
  }
  return new Uint8Array(view.buffer);
}

/** Descriptors with any event, errors included: reading tells which. */
function readyIn(set: Uint8Array, descriptors: readonly number[]): readonly number[] {
  const view = new DataView(set.buffer);
  const isLittle = endianness() === "LE";
  return descriptors.filter((_, at) => view.getInt16(at * POLL_ENTRY_BYTES + 6, isLittle) !== 0);
}
