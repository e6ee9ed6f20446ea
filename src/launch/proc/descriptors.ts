import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import type { Addon } from "../../../native/system.ts";
import { attempt } from "../../system/errors.ts";

export interface Descriptor {
  readonly number: number;
  readonly target: string;
}

export interface Inherited {
  /** Numbers from 3 on, in ascending order. */
  readonly numbers: readonly number[];
  /** The subset that may be Node's own (macOS): it is passed on and stays open here. */
  readonly doubtful: readonly number[];
}

/** Links of an event loop's descriptors: epoll, an eventfd that wakes it, io_uring in some versions. */
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

/** Lists the numbers of a process's open descriptors; none without permission or /proc. */
function namesIn(pid: number | "self"): readonly string[] {
  return attempt(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
}

/** Returns a descriptor's link; empty if it is closed, as the one of `namesIn` is. */
export function targetOf(name: number | string, pid: number | "self" = "self"): string {
  return attempt(() => readlinkSync(`/proc/${pid}/fd/${name}`)) ?? "";
}

export function openDescriptors(pid: number | "self"): readonly Descriptor[] {
  const open = namesIn(pid).map((name) => ({ number: Number(name), target: targetOf(name, pid) }));
  return open.filter(({ target }) => target !== "");
}

/**
 * Returns true if all descriptors from 3 on are certain to be Node's own. Node.js 20 to 26 start three event loops with
 * consecutive descriptors: epoll, io_uring if available, both ends of a pipe and an eventfd; the first has a second pipe. An
 * inherited one leaves a gap or moves a loop; three of them, one in each loop, put a pipe in the place of io_uring.
 *
 * @param names the entries of /proc/self/fd: the standard streams, these, and the descriptor that reads the folder
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

/** Returns true if the descriptor is close-on-exec; undefined if unknown. Node.js sets that for most inherited ones. */
export function isCloseOnExec(descriptor: number, info = infoOf(descriptor)): boolean | undefined {
  const flags = flagsIn(info);
  return flags === undefined ? undefined : (flags & O_CLOEXEC) !== 0;
}

export function openFlags(descriptor: number): number | undefined {
  return flagsIn(infoOf(descriptor));
}

/** Reads /proc/self/fdinfo (proc_pid_fdinfo(5)); empty if that fails. */
export function infoOf(descriptor: number): string {
  return attempt(() => readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8")) ?? "";
}

export function flagsIn(info: string): number | undefined {
  const digits = /^flags:\s*([0-7]+)/m.exec(info)?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 8);
}
