import { execFileSync, spawn, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import { openSync, closeSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { beforeEach, describe, expect, test } from "vitest";
import { areNodes, type Descriptor } from "../../../src/launch/proc/descriptors.ts";
import { selectInherited, type DescriptorFacts } from "../../../src/launch/proc/inherited.ts";
import { folder, isStandalone, sophiaRun } from "../../helpers/sophia.ts";
import { useDriver } from "../driver-process.ts";

const startDriver = useDriver();

/**
 * Adds to the inherited descriptors those that Node.js 20 to 26 open at their start.
 *
 * @param rings io_uring descriptors in each loop
 */
function addNodeDescriptors(taken: readonly Descriptor[], rings: 0 | 1 | 2 = 0): Descriptor[] {
  const eventLoop = (...more: string[]): string[] => [
    "anon_inode:[eventpoll]",
    ...Array.from({ length: rings }, () => "anon_inode:[io_uring]"),
    ...more,
    "anon_inode:[eventfd]",
  ];
  const pipes = [101, 102, 103, 104].map((inode) => [`pipe:[${inode}]`, `pipe:[${inode}]`]);
  const [signals = [], first = [], second = [], third = []] = pipes;
  const nodeTargets = [...eventLoop(...signals, ...first), ...eventLoop(...second), ...eventLoop(...third)];
  const used = new Set(taken.map(({ number }) => number));
  const free = Array.from({ length: 64 }, (_, index) => index + 3).filter((number) => !used.has(number));
  const opened = nodeTargets.map((target, index) => ({ number: free[index] ?? 0, target }));
  return [...taken, ...opened].toSorted((a, b) => a.number - b.number);
}

/** Returns whether {@link areNodes} takes all of the descriptors for Node's own. */
function looksLikeNodes(open: readonly Descriptor[]): boolean {
  const numbers = [0, 1, 2, ...open.map(({ number }) => number)];
  // The descriptor by which /proc/self/fd is read has the lowest free number.
  const reading = numbers.findIndex((_, index) => !numbers.includes(index));
  const names = [...numbers, reading === -1 ? numbers.length : reading].map(String).toSorted();
  return areNodes(names, (number) => open.find((descriptor) => descriptor.number === number)?.target ?? "");
}

/** Returns whether the descriptor is of a kind that Node.js opens itself. */
function isOpenedByNode(target: string | undefined): boolean {
  return target !== undefined && /^(?:pipe:|anon_inode:\[(?:eventpoll|eventfd|io_uring)\])/.test(target);
}

/** Selects the caller's descriptors by what /proc shows about them. By default that is what it shows after Node's start. */
function selectPassedNumbers(
  open: readonly Descriptor[],
  more: {
    readonly infos?: Readonly<Record<number, string>>;
    readonly parents?: readonly Descriptor[];
    readonly isSameOpenFile?: DescriptorFacts["isSameOpenFile"];
  } = {},
): readonly number[] {
  const { infos = {}, parents = [], isSameOpenFile = () => false } = more;
  const targetOf = (number: number): string | undefined =>
    open.find((descriptor) => descriptor.number === number)?.target;
  // Node.js makes inherited descriptors close-on-exec up to 15, and from there to the first number that is not taken.
  const firstGap =
    [...Array(64).keys()].find((number) => number >= 16 && isOpenedByNode(targetOf(number) ?? "pipe:")) ?? 0;
  const info = (number: number): string => {
    if (infos[number] !== undefined) return infos[number];
    const isClosed = number < firstGap || isOpenedByNode(targetOf(number));
    const isEventfd = targetOf(number) === "anon_inode:[eventfd]";
    return `flags:\t0${isClosed ? "2" : "0"}00400${isEventfd ? "2\neventfd-semaphore: 0" : "0"}\n`;
  };
  const facts = { info, listParentDescriptors: () => parents, isSameOpenFile, mayHaveMoreLoops: false };
  return selectInherited(open, facts).passed.map(({ number }) => number);
}

/**
 * Returns what is passed on if the caller has an epoll descriptor: that descriptor, and the epoll descriptors of Node's beside it,
 * which look the same. Node's first epoll descriptor is never passed on.
 */
function passedBesideNode(open: readonly Descriptor[], number: number): readonly number[] {
  const isEpoll = (candidate: number): boolean =>
    open.some((descriptor) => descriptor.number === candidate && descriptor.target === "anon_inode:[eventpoll]");
  return number < 5 ? [3] : [number - 1, number, number + 1].filter(isEpoll);
}

const inherited: readonly { what: string; passed: readonly Descriptor[]; parents?: string }[] = [
  { what: "nothing", passed: [] },
  { what: "a file", passed: [{ number: 3, target: "/etc/hostname" }] },
  { what: "a file behind a gap", passed: [{ number: 9, target: "/etc/hostname" }] },
  { what: "a socket, far out", passed: [{ number: 200, target: "socket:[5]" }] },
  { what: "a terminal", passed: [{ number: 5, target: "/dev/pts/3" }] },
  { what: "one end of a pipe behind a gap", passed: [{ number: 6, target: "pipe:[55]" }] },
  { what: "both ends of a pipe, first", passed: [3, 4].map((number) => ({ number, target: "pipe:[55]" })) },
  { what: "an eventfd, first", passed: [{ number: 3, target: "anon_inode:[eventfd]" }] },
  { what: "/dev/null, first", passed: [{ number: 3, target: "/dev/null" }] },
  { what: "/dev/null behind a gap", passed: [{ number: 10, target: "/dev/null" }] },
  { what: "a folder of /proc behind a gap", passed: [{ number: 8, target: "/proc/7/fd" }] },
  {
    what: "both ends of a pipe behind a gap, which the parent has too",
    passed: [4, 7].map((number) => ({ number, target: "pipe:[55]" })),
    parents: "pipe:[55]",
  },
];

for (const rings of [0, 1, 2] as const) {
  test.each(inherited)(
    `sophia-run passes on no descriptor of Node's own, with ${rings} io_uring, if it inherits $what`,
    ({ passed, parents }) => {
      const open = addNodeDescriptors(passed, rings);
      const parentDescriptors = parents === undefined ? [] : [{ number: 3, target: parents }];
      expect(selectPassedNumbers(open, { parents: parentDescriptors })).toEqual(passed.map(({ number }) => number));
      expect(looksLikeNodes(open)).toBe(passed.length === 0);
    },
  );
}

test("the fast check detects one or two inherited epoll descriptors at any numbers", () => {
  for (const rings of [0, 1, 2] as const) {
    for (let first = 3; first < 40; first++) {
      for (let second = first; second < 40; second++) {
        const inheritedDescriptors = [...new Set([first, second])].map((number) => ({
          number,
          target: "anon_inode:[eventpoll]",
        }));
        expect(looksLikeNodes(addNodeDescriptors(inheritedDescriptors, rings))).toBe(false);
      }
    }
  }
});

test("sophia-run passes on three inherited files at any numbers", () => {
  for (const rings of [0, 1, 2] as const) {
    for (let first = 4; first < 12; first++) {
      for (let second = first + 1; second < 22; second++) {
        for (let third = second + 1; third < 30; third++) {
          const numbers = [first, second, third];
          const open = addNodeDescriptors(
            numbers.map((number) => ({ number, target: "/etc/hostname" })),
            rings,
          );
          expect(selectPassedNumbers(open)).toEqual(numbers);
          expect(looksLikeNodes(open)).toBe(false);
        }
      }
    }
  }
});

describe("sophia-run does not pass on descriptors that are opened before its code begins", () => {
  beforeEach(({ skip }) => skip(isStandalone, "NODE_OPTIONS has no effect on the stand-alone executable"));
  const listCommand = ["ls", "-m", "/proc/self/fd"] as const;
  const listDescriptors = async (
    command: readonly string[],
    stdio: StdioOptions,
    env: NodeJS.ProcessEnv,
  ): Promise<string> => {
    const [file = "", ...args] = command;
    const child = spawn(file, args, { stdio, env: { PATH: process.env["PATH"], ...env } });
    if (child.stdout === null) throw new Error("no standard output");
    const [output] = await Promise.all([text(child.stdout), once(child, "exit")]);
    return output.trim();
  };
  const launcherCommand = [...sophiaRun, "--no-contract"];

  test.each([[[]], [["--mode", "spawn"]]])("for the IPC channel to a Node.js parent %j", async (options) => {
    const stdio: StdioOptions = ["ignore", "pipe", "inherit", "ipc"];
    const direct = await listDescriptors(listCommand, stdio, {});
    expect(await listDescriptors([...launcherCommand, ...options, "--", ...listCommand], stdio, {})).toBe(direct);
  });

  const untilOpen = 'while (require("node:inspector").url() === undefined);';
  const preloads = [
    ["prints", 'console.error("-");'],
    ["opens a file", 'globalThis.file = require("node:fs").openSync("/etc/hostname");'],
    ["listens", 'globalThis.server = require("node:net").createServer().listen(0, "127.0.0.1").unref();'],
    ["starts a thread", 'new (require("node:worker_threads").Worker)("", { eval: true }).unref();'],
    ["opens the inspector", 'require("node:inspector").open(0);'],
    ["is sent SIGUSR1, on which Node opens the inspector", `process.kill(process.pid, "SIGUSR1"); ${untilOpen}`],
  ].flatMap(([what = "", code = ""]) => [[], ["--mode", "spawn"]].map((options) => ({ what, code, options })));

  test.each(preloads)("by preloaded code that $what $options", async ({ code, options }) => {
    const preload = join(folder({ "preload.cjs": code }), "preload.cjs");
    const file = openSync("/etc/hostname", "r");
    // The caller's descriptors are passed on, with low and high numbers.
    const stdio: StdioOptions = ["ignore", "pipe", "pipe", file, "ignore", file, ...Array(15).fill("ignore"), file];
    const direct = await listDescriptors(listCommand, stdio, {});
    const env = { NODE_OPTIONS: `--require=${preload} --inspect-port=0` };
    expect(await listDescriptors([...launcherCommand, ...options, "--", ...listCommand], stdio, env)).toBe(direct);
    closeSync(file);
  });
});

describe("among Node's own anonymous inodes sophia-run recognizes", () => {
  for (const rings of [0, 1, 2] as const) {
    test.each(["timerfd", "signalfd", "inotify", "pidfd"])(
      `the caller's %s at any number, with ${rings} io_uring`,
      (kind) => {
        for (let number = 3; number < 30; number++) {
          expect(selectPassedNumbers(addNodeDescriptors([{ number, target: `anon_inode:[${kind}]` }], rings))).toEqual([
            number,
          ]);
        }
      },
    );

    test(`the caller's eventfd that blocks or is a semaphore, with ${rings} io_uring`, () => {
      for (const info of ["flags:\t02000002\n", "flags:\t02004002\neventfd-semaphore: 1\n"]) {
        for (let number = 3; number < 30; number++) {
          const open = addNodeDescriptors([{ number, target: "anon_inode:[eventfd]" }], rings);
          expect(selectPassedNumbers(open, { infos: { [number]: info } })).toEqual([number]);
        }
      }
    });

    test(`a descriptor of the caller that looks like Node's if the parent process has the same, with ${rings} io_uring`, () => {
      for (const target of ["anon_inode:[eventfd]", "anon_inode:[eventpoll]", "anon_inode:[io_uring]"]) {
        for (let number = 3; number < 30; number++) {
          const open = addNodeDescriptors([{ number, target }], rings);
          const isSameOpenFile: DescriptorFacts["isSameOpenFile"] = (here, there) => here === number && there === 7;
          expect(selectPassedNumbers(open, { isSameOpenFile, parents: [{ number: 7, target }] })).toEqual([number]);
          // Node's first descriptor is an epoll descriptor, and each loop begins with an epoll descriptor.
          if (target !== "anon_inode:[eventpoll]")
            expect(selectPassedNumbers(open)).toEqual(number === 3 ? [number] : []);
          else expect(selectPassedNumbers(open)).toEqual(passedBesideNode(open, number));
        }
      }
    });
  }

  test("a descriptor without close-on-exec as the caller's, since Node.js would have set the flag", () => {
    const open = [...addNodeDescriptors([]), { number: 60, target: "anon_inode:[eventpoll]" }];
    expect(selectPassedNumbers(open, { infos: { 60: "flags:\t02\n" } })).toEqual([60]);
  });

  test("a file that another thread has just opened as not the caller's", () => {
    for (let number = 3; number < 30; number++) {
      const inheritedDescriptor = { number, target: "anon_inode:[timerfd]" };
      const open = addNodeDescriptors([inheritedDescriptor]);
      const used = new Set(open.map((descriptor) => descriptor.number));
      const next = Array.from({ length: 40 }, (_, index) => index + 3).find((free) => !used.has(free)) ?? 0;
      const infos = { [next]: "flags:\t02000000\n" };
      expect(
        selectPassedNumbers([...open, { number: next, target: "/proc/sys/vm/overcommit_memory" }], { infos }),
      ).toEqual([number]);
    }
  });

  test("the event loop of a thread that other code has started as not the caller's", () => {
    const loop = ["anon_inode:[eventpoll]", "pipe:[200]", "pipe:[200]", "anon_inode:[eventfd]"];
    const open = addNodeDescriptors([]);
    const later = loop.map((target, index) => ({ number: open.length + 3 + index, target }));
    expect(selectPassedNumbers([...open, ...later])).toEqual([]);
  });
});

test("sophia-run passes on no descriptor that this version of Node.js has opened", async () => {
  const command = ["ls", "-m", "/proc/self/fd"] as const;
  const { line, ended } = startDriver({}, ...command);
  // Both commands have the descriptors that this test process has inherited without close-on-exec.
  const directOutput = execFileSync(command[0], command.slice(1), { encoding: "utf8" });
  expect(await line()).toBe(directOutput.trim());
  expect(await ended).toEqual({ status: 0, signal: null });
});

test("sophia-run passes descriptors on under their numbers, and opens none between them", async () => {
  const { spawnfile, spawnargs } = startDriver({}, "true").child;
  const [driver = "", request = ""] = spawnargs.slice(1);
  const file = openSync("/etc/hostname", "r");
  const script = 'for n in 3 4 5 6 7; do if [ -e /proc/$$/fd/$n ]; then printf "$n "; fi; done';
  const stdio = ["ignore", "pipe", "inherit", "ignore", "ignore", file, "ignore", file] as const;
  const child = spawn(spawnfile, [driver, request, "sh", "-c", script], { stdio: [...stdio] });
  closeSync(file);
  if (child.stdout === null) throw new Error("no standard output");
  const [output] = await Promise.all([text(child.stdout), once(child, "exit")]);
  expect(output.trim()).toBe("5 7");
});
