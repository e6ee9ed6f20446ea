/**
 * Lists the open descriptors of a process, as /proc shows them (Linux). Also finds out quickly, at every start, whether the caller
 * has certainly passed no descriptor on; otherwise inherited.ts examines them one by one.
 */
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import type { Addon } from "../../../native/system.ts";
import { attempt } from "../../system/errors.ts";

/** An open descriptor. */
export interface Descriptor {
  readonly number: number;
  /** Its link in /proc/PID/fd, such as `/dev/null`, `pipe:[4711]` or `anon_inode:[eventfd]`. */
  readonly target: string;
}

/** The descriptors that the caller has passed on, for the program. */
export interface Inherited {
  /** Their numbers, from 3 on, in ascending order. */
  readonly numbers: readonly number[];
  /** The numbers among them that Node.js itself may have opened. They are passed on, and stay open in this process. */
  readonly doubtful: readonly number[];
}

/** The links of an event loop's descriptors: epoll; an eventfd that wakes the loop; and in some versions io_uring. */
export const EPOLL_TARGET = "anon_inode:[eventpoll]";
export const EVENTFD_TARGET = "anon_inode:[eventfd]";
export const RING_TARGET = "anon_inode:[io_uring]";

/** A flag of open(2) in Linux, for which Node.js has no name. */
const O_CLOEXEC = 0o2000000;

/** Returns true only if it is certain, after a quick look, that no descriptor above 2 was inherited. */
export function hasNoInherited(addon: Pick<Addon, "descriptors"> | undefined): boolean {
  if (process.platform === "win32") return true;
  if (process.platform !== "linux") return false;
  // The addon lists alternately a name and its target.
  const namesAndTargets = addon?.descriptors()?.split("\0");
  if (namesAndTargets === undefined) return areNodes(listNames("self"), readTarget);
  const names = namesAndTargets.filter((_, index) => index % 2 === 0);
  return areNodes(names, (number) => namesAndTargets[2 * names.indexOf(String(number)) + 1] ?? "");
}

/** Lists the numbers of a process's open descriptors; none without permission or without /proc. */
function listNames(pid: number | "self"): readonly string[] {
  return attempt(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
}

/**
 * Returns the link of a descriptor; an empty text if it is closed, such as the descriptor by which `listNames` has read the folder.
 */
export function readTarget(name: number | string, pid: number | "self" = "self"): string {
  return attempt(() => readlinkSync(`/proc/${pid}/fd/${name}`)) ?? "";
}

/** Lists the open descriptors of a process; none without permission or without /proc. */
export function openDescriptors(pid: number | "self"): readonly Descriptor[] {
  const open = listNames(pid).map((name) => ({ number: Number(name), target: readTarget(name, pid) }));
  return open.filter(({ target }) => target !== "");
}

/**
 * Returns true if it is certain that Node.js itself has opened all descriptors from 3 on.
 *
 * Node.js 20 to 26 start three event loops, whose descriptors follow each other: epoll, io_uring if it is available, both ends of a
 * pipe, and an eventfd. The first loop has a second pipe. An inherited descriptor leaves a gap, or moves a loop. Three inherited
 * descriptors, one in each loop, move no loop, but put a pipe in the place of io_uring.
 *
 * @param names the entries of /proc/self/fd: the standard streams, the descriptors of Node.js, and the descriptor that reads the
 *   folder
 */
export function areNodes(names: readonly string[], target: (descriptor: number) => string): boolean {
  const standardStreams = 3;
  const secondPipe = 2;
  // The last entry is the descriptor that reads the folder.
  const countPerLoop = (names.length - standardStreams - secondPipe - 1) / 3;
  const hasGap = !names.every((name) => Number(name) < names.length);
  if (!Number.isInteger(countPerLoop) || countPerLoop < 4 || hasGap) return false;
  const firstEpoll = standardStreams;
  const secondEpoll = firstEpoll + countPerLoop + secondPipe;
  const thirdEpoll = secondEpoll + countPerLoop;
  // A loop without io_uring has four descriptors.
  const rings = Array.from({ length: countPerLoop - 4 }, (_, index) => firstEpoll + 1 + index);
  return (
    [firstEpoll, secondEpoll, thirdEpoll].every((number) => target(number) === EPOLL_TARGET) &&
    rings.every((number) => target(number) === RING_TARGET)
  );
}

/**
 * Returns true if the descriptor is close-on-exec; undefined if unknown. Node.js makes most inherited descriptors close-on-exec.
 */
export function isCloseOnExec(descriptor: number, info = readInfo(descriptor)): boolean | undefined {
  const flags = parseFlags(info);
  return flags === undefined ? undefined : (flags & O_CLOEXEC) !== 0;
}

/** Returns the flags of open(2) of a descriptor; undefined if unknown. */
export function openFlags(descriptor: number): number | undefined {
  return parseFlags(readInfo(descriptor));
}

/** Reads /proc/self/fdinfo/NUMBER (proc_pid_fdinfo(5)). Returns an empty text if that fails. */
export function readInfo(descriptor: number): string {
  return attempt(() => readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8")) ?? "";
}

/** Returns the flags in a text of /proc/self/fdinfo, which are octal: `flags:\t02100001`. */
export function parseFlags(info: string): number | undefined {
  const digits = /^flags:\s*([0-7]+)/m.exec(info)?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 8);
}
