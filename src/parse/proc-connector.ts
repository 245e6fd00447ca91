import type { Endianness } from "./netlink-message.ts";

/** What the proc connector tells of a process. Source: linux/cn_proc.h, struct proc_event. */
export type ProcessNotice =
  | {
      readonly kind: "exec";
      readonly processId: number;
      /** CLOCK_MONOTONIC of the kernel, ms. */
      readonly monotonicMs: number;
    }
  | {
      readonly kind: "exit";
      readonly processId: number;
      /** Process that made it; absent in kernels before 4.18. */
      readonly parentProcessId: number | undefined;
      /** As waitpid(2) gives it. */
      readonly waitStatus: number;
      readonly monotonicMs: number;
    }
  /** The answer to a request; 0 is success. */
  | { readonly kind: "answer"; readonly errorNumber: number };

const CN_IDX_PROC = 1;
const CN_VAL_PROC = 1;
const NLMSG_DONE = 3;
const NETLINK_HEADER_BYTES = 16;
const CONNECTOR_HEADER_BYTES = 20;
const EVENT_AT = NETLINK_HEADER_BYTES + CONNECTOR_HEADER_BYTES;
const TIME_AT = EVENT_AT + 8;
const DATA_AT = EVENT_AT + 16;

const WHAT_ANSWER = 0;
const WHAT_EXEC = 0x2;
const WHAT_EXIT = 0x80000000;

const LISTEN = 1;
const IGNORE = 2;

/** Multicast group of the connector that carries process events, as a bit mask. */
export const PROCESS_GROUP_MASK = 1;

/** Asks the kernel to begin or to end telling. Source: linux/cn_proc.h, enum proc_cn_mcast_op. */
export function connectorRequest(isListening: boolean, endianness: Endianness): Uint8Array {
  const bytes = new Uint8Array(EVENT_AT + 4);
  const view = new DataView(bytes.buffer);
  const isLittle = endianness === "LE";
  view.setUint32(0, bytes.length, isLittle);
  view.setUint16(4, NLMSG_DONE, isLittle);
  view.setUint32(NETLINK_HEADER_BYTES, CN_IDX_PROC, isLittle);
  view.setUint32(NETLINK_HEADER_BYTES + 4, CN_VAL_PROC, isLittle);
  view.setUint16(NETLINK_HEADER_BYTES + 16, 4, isLittle);
  view.setUint32(EVENT_AT, isListening ? LISTEN : IGNORE, isLittle);
  return bytes;
}

/** One datagram of the connector; undefined for other events and for what is no such datagram. */
export function parseProcessNotice(
  bytes: Uint8Array,
  endianness: Endianness,
): ProcessNotice | undefined {
  if (bytes.length < DATA_AT + 4) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLittle = endianness === "LE";
  const word = (at: number): number => view.getUint32(at, isLittle);
  if (word(NETLINK_HEADER_BYTES) !== CN_IDX_PROC) return undefined;
  if (word(NETLINK_HEADER_BYTES + 4) !== CN_VAL_PROC) return undefined;
  const what = word(EVENT_AT);
  if (what === WHAT_ANSWER) return { kind: "answer", errorNumber: word(DATA_AT) };
  if (bytes.length < DATA_AT + 8) return undefined;
  const low = word(isLittle ? TIME_AT : TIME_AT + 4);
  const high = word(isLittle ? TIME_AT + 4 : TIME_AT);
  const monotonicMs = (high * 2 ** 32 + low) / 1e6;
  // The leader of the thread group is the process.
  const processId = word(DATA_AT + 4);
  if (what === WHAT_EXEC) return { kind: "exec", processId, monotonicMs };
  if (what !== WHAT_EXIT || bytes.length < DATA_AT + 16) return undefined;
  if (word(DATA_AT) !== processId) return undefined;
  // 0: the parent had taken note of the end before this notice was written.
  const parent = bytes.length >= DATA_AT + 24 ? word(DATA_AT + 20) : 0;
  const parentProcessId = parent === 0 ? undefined : parent;
  return { kind: "exit", processId, parentProcessId, waitStatus: word(DATA_AT + 8), monotonicMs };
}

/** Classic BPF. Source: linux/bpf_common.h, linux/filter.h. */
const LOAD_WORD = 0x20;
const COPY_TO_X = 0x07;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_EQUAL_X = 0x1d;
const RETURN = 0x06;
const WHOLE = 0xffffffff;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

/**
 * A program that lets in one kind of event and the answers to requests: the rest, mostly forks and ends of
 * threads, never wakes the agent. Loads are in network order, so constants are turned where the machine
 * is little endian.
 */
export function processNoticeFilter(kind: "exec" | "exit", endianness: Endianness): Uint8Array {
  const asLoaded = (value: number): number => (endianness === "LE" ? swapBytes(value) : value);
  const wanted: Instruction[] =
    kind === "exec"
      ? [
          [LOAD_WORD, 0, 0, EVENT_AT],
          [JUMP_IF_EQUAL, 1, 0, asLoaded(WHAT_EXEC)],
          [JUMP_IF_EQUAL, 0, 1, asLoaded(WHAT_ANSWER)],
          [RETURN, 0, 0, WHOLE],
          [RETURN, 0, 0, 0],
        ]
      : [
          [LOAD_WORD, 0, 0, EVENT_AT],
          [JUMP_IF_EQUAL, 5, 0, asLoaded(WHAT_ANSWER)],
          [JUMP_IF_EQUAL, 0, 5, asLoaded(WHAT_EXIT)],
          [LOAD_WORD, 0, 0, DATA_AT],
          [COPY_TO_X, 0, 0, 0],
          [LOAD_WORD, 0, 0, DATA_AT + 4],
          [JUMP_IF_EQUAL_X, 0, 1, 0],
          [RETURN, 0, 0, WHOLE],
          [RETURN, 0, 0, 0],
        ];
  return encode(wanted, endianness);
}

function encode(program: readonly Instruction[], endianness: Endianness): Uint8Array {
  const view = new DataView(new ArrayBuffer(program.length * 8));
  const isLittle = endianness === "LE";
  for (const [at, [code, ifTrue, ifFalse, value]] of program.entries()) {
    view.setUint16(at * 8, code, isLittle);
    view.setUint8(at * 8 + 2, ifTrue);
    view.setUint8(at * 8 + 3, ifFalse);
    view.setUint32(at * 8 + 4, value, isLittle);
  }
  return new Uint8Array(view.buffer);
}

function swapBytes(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, value, false);
  return view.getUint32(0, true);
}
