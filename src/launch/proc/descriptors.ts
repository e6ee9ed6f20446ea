import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import type { Addon } from "../../system/addon/libc.ts";

/** An open file descriptor and what its link in /proc/PID/fd says. */
export interface Descriptor {
  readonly number: number;
  readonly target: string;
}

/** The descriptors that the caller passed to this process. */
export interface Inherited {
  /** The descriptors from 3 on, in ascending order. */
  readonly numbers: readonly number[];
  /** Those of them that may also be Node's own (macOS): they are passed on, and stay open here. */
  readonly doubtful: readonly number[];
}

/** The links of what an event loop has: an epoll descriptor to wait, an eventfd that wakes it, io_uring's in some versions. */
export const EPOLL_TARGET = "anon_inode:[eventpoll]";
export const EVENTFD_TARGET = "anon_inode:[eventfd]";
export const RING_TARGET = "anon_inode:[io_uring]";

/** A flag of open(2) in Linux; node:os and node:fs do not name it. */
const O_CLOEXEC = 0o2000000;

/** Fast path: true only if no descriptor above 2 can have been inherited. */
export function areAllOwn(addon: Pick<Addon, "descriptors"> | undefined): boolean {
  if (process.platform === "win32") return true;
  if (process.platform !== "linux") return false;
  const strings = addon?.descriptors()?.split("\0");
  if (strings === undefined) return areNodes(namesIn("self"), targetOf);
  const names = strings.filter((_, index) => index % 2 === 0);
  return areNodes(names, (number) => strings[2 * names.indexOf(String(number)) + 1] ?? "");
}

/** The numbers of what a process has open; none where permission to see it is missing or there is no /proc. */
export function namesIn(pid: number | "self"): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`);
  } catch {
    return [];
  }
}

/** Returns a descriptor's link; empty for the one by which the numbers were read, which is closed by now. */
export function targetOf(name: number | string, pid: number | "self" = "self"): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${name}`);
  } catch {
    return "";
  }
}

export function openDescriptors(pid: number | "self"): readonly Descriptor[] {
  const open = namesIn(pid).map((name) => ({ number: Number(name), target: targetOf(name, pid) }));
  return open.filter(({ target }) => target !== "");
}

/**
 * Returns true if all descriptors from 3 on are certain to be Node's own, by a look at a few of them.
 * Node.js 20 to 26 start three event loops, whose descriptors follow one another: an epoll descriptor, io_uring's if there
 * is one, both ends of a pipe and an eventfd, with a second pipe for the first. One of the caller's among them leaves a
 * gap or moves a loop; three, one in each loop, put a pipe where io_uring's descriptor must be.
 *
 * @param names what /proc/self/fd holds: the standard streams, those, and the one by which it was read
 */
export function areNodes(names: readonly string[], target: (descriptor: number) => string): boolean {
  const perLoop = (names.length - 3 - 1 - 2) / 3;
  if (!Number.isInteger(perLoop) || perLoop < 4 || !names.every((name) => Number(name) < names.length)) return false;
  const rings = Array.from({ length: perLoop - 4 }, (_, index) => 4 + index);
  return (
    [3, 3 + perLoop + 2, 3 + 2 * perLoop + 2].every((number) => target(number) === EPOLL_TARGET) &&
    rings.every((number) => target(number) === RING_TARGET)
  );
}

/**
 * Returns true if the descriptor is close-on-exec, by its text in fdinfo; undefined if that does not tell. Node.js makes
 * most of the inherited ones so at its start, Bun all before an execve.
 */
export function isCloseOnExec(descriptor: number, info = infoOf(descriptor)): boolean | undefined {
  const flags = flagsIn(info);
  return flags === undefined ? undefined : (flags & O_CLOEXEC) !== 0;
}

/** The flags with which a file was opened, and O_CLOEXEC; undefined where the system does not tell. */
export function openFlags(descriptor: number): number | undefined {
  return flagsIn(infoOf(descriptor));
}

/** Reads a descriptor's text in /proc/self/fdinfo (proc_pid_fdinfo(5)); empty if the system does not tell. */
export function infoOf(descriptor: number): string {
  try {
    return readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8");
  } catch {
    return "";
  }
}

/** The flags of an open file, by its descriptor's text in fdinfo; undefined where that does not tell. */
export function flagsIn(info: string): number | undefined {
  const digits = /^flags:\s*([0-7]+)/m.exec(info)?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 8);
}
