import { cpus } from "node:os";
import { format } from "oxfmt";
import { list, page, table, wrap } from "../../scripts/markdown.ts";
import type { Spread } from "../measure.ts";
import { DIRECT, type Launcher } from "./launchers.ts";
import type { Amounts, Figures, GitTurns, Turns } from "./measure.ts";

export interface Measured {
  readonly launcher: Launcher;
  readonly figures: Figures;
}

export interface Report {
  readonly direct: Turns;
  readonly git: GitTurns;
  readonly measured: readonly Measured[];
  readonly missing: readonly { readonly name: string; readonly reason: string }[];
  readonly amounts: Amounts;
}

interface Row {
  readonly what: string;
  readonly goal: string;
  readonly text: (figures: Figures) => string;
  readonly isMet: (figures: Figures, isNode24: boolean) => boolean;
}

const ROWS: readonly Row[] = [
  {
    what: "added to a request, p50",
    goal: "≤ 0.40 ms, Node.js 24: 0.30",
    text: ({ turns }) => `${turns.addedP50.median.toFixed(2)} ms`,
    isMet: ({ turns }, isNode24) => turns.addedP50.median <= (isNode24 ? 0.3 : 0.4),
  },
  {
    what: "added to a request, p99",
    goal: "≤ 3 ms, Node.js 24: 2",
    text: ({ turns }) => `${turns.addedP99.median.toFixed(2)} ms`,
    isMet: ({ turns }, isNode24) => turns.addedP99.median <= (isNode24 ? 2 : 3),
  },
  {
    what: "requests a second, 16 at once",
    goal: "≥ 3,500",
    text: ({ turns }) => turns.rate.median.toFixed(0),
    isMet: ({ turns }) => turns.rate.median >= 3500,
  },
  {
    what: "first event of a stream, p99",
    goal: "≤ 3 ms",
    text: ({ turns }) => `${turns.firstEventP99.toFixed(1)} ms`,
    isMet: ({ turns }) => turns.firstEventP99 <= 3,
  },
  {
    what: "each event, p99; merged",
    goal: "≤ 3 ms; none",
    text: ({ turns }) => `${turns.eventP99.toFixed(1)} ms; ${turns.merged} of ${turns.events}`,
    isMet: ({ turns }) => turns.eventP99 <= 3 && turns.merged === 0,
  },
  {
    what: "more memory for 1 GB up and down",
    goal: "≤ 24 MB",
    text: ({ volume }) => `${volume.more.toFixed(0)} MB`,
    isMet: ({ volume }) => volume.more <= 24,
  },
  {
    what: "first chunk of an upload",
    goal: "≤ 5 ms",
    text: ({ volume }) => `${volume.firstChunk.median.toFixed(1)} ms`,
    isMet: ({ volume }) => volume.firstChunk.median <= 5,
  },
  {
    what: "more memory after 10,000 requests",
    goal: "≤ 12 MB",
    text: ({ soak }) => `${soak.more.toFixed(0)} MB`,
    isMet: ({ soak }) => soak.more <= 12,
  },
  {
    what: "descriptors, connections left",
    goal: "none",
    text: ({ soak }) => `${Math.max(0, soak.descriptors)}, ${Math.max(0, soak.sockets)}`,
    isMet: ({ soak }) => soak.descriptors <= 0 && soak.sockets <= 0,
  },
  {
    what: "a start, beyond one with --redact",
    goal: "≤ 8 ms",
    text: ({ start }) => `${start.beyond.median.toFixed(1)} ms`,
    isMet: ({ start }) => start.beyond.median <= 8,
  },
  {
    what: "resident memory, against --redact",
    goal: "≤ 1.25×",
    text: ({ start }) => `${(start.resident / start.residentMasked).toFixed(2)}×, ${start.resident.toFixed(0)} MB`,
    isMet: ({ start }) => start.resident <= 1.25 * start.residentMasked,
  },
];

const NOTES = [
  "**The machine.** Three processes work on a request: the program, the launcher and the service. With 16 requests " +
    "at once they share two processors; with more processors the figure is higher.",
  "**Added time** is, within a turn, the percentile of 500 requests through the launcher, minus that of 500 direct " +
    "ones. A request is a POST of 2 kB on a kept connection. The program and the service always run on Node.js 24.",
  "**An event** contains its time of sending. Events are merged if several arrive together.",
  "**More memory** for 1 GB is the launcher's maximum (VmHWM), minus what it had before, after 1,500 requests. For " +
    "requests and streams it is the launcher's memory after them, minus that before.",
  "**A start** is compared with one with `--redact`, which also runs JavaScript in the parent process.",
  "**varlock** intercepts TLS with its own authority, and has no goal here. Its start is compared with " +
    "`varlock run`. It gets a tenth of the requests, streams and bytes, because it ends a program that uploads 1 GB.",
];

/** The part of the figures that the executable, or a launcher on Node.js, cannot change. */
function limits(measured: readonly Measured[]): readonly string[] {
  const [first] = measured;
  const executable = measured.find(({ launcher }) => launcher.name === "executable");
  const node = first?.figures.turns.processor.median ?? Number.NaN;
  const own = executable?.figures.turns.processor.median;
  const rate =
    own === undefined
      ? "The executable was not measured."
      : `The executable needs ${own.toFixed(0)} µs of processor time for a request, and ${first?.launcher.name} ${node.toFixed(0)} µs. ` +
        `One thread runs JavaScript, so the executable can pass on at most ${(1e6 / own).toFixed(0)} requests a ` +
        "second, with any number of processors. For 3,500 it may need 286 µs.";
  return [
    `**Requests a second.** ${rate} Node.js runs the same code, but V8 compiles it, and QuickJS interprets ` +
      "bytecode: a call takes 50 to 100 ns, a listener or a `nextTick` 200 to 400 ns. System calls, TLS and the HTTP " +
      "parser, which are in C, take less than a fifth of the time. A quarter is the broker's own code, 30 % the " +
      "runtime's HTTP, 13 % streams, 13 % sockets, 12 % the event loop and events. No function of JavaScript takes " +
      "more than 3 %.",
    "**Added time** is processor time, too: the program and the service wait for the launcher. In the executable's " +
      "slowest hundredth, the engine collects garbage among all objects outside of the image.",
    "**Memory on Node.js** is V8's heap, which grows before it is collected.",
    "**A start on Node.js** loads `node:http` and plans the keys, which a start with `--redact` does not.",
  ];
}

/** Returns docs/measurements/broker.md. */
export async function document({ direct, git, measured, missing, amounts }: Report): Promise<string> {
  const machine = `${cpus()[0]?.model ?? "an unknown processor"}, ${cpus().length} cores, ${process.platform} ${process.arch}`;
  const content = [
    wrap(
      `Measured on ${new Date().toISOString().slice(0, 10)}: ${machine}. A program sends requests to a service on ` +
        `loopback over TLS, directly and through each launcher, in ${amounts.rounds} turns and in a different order ` +
        "each turn. Each figure is the median with the quartiles in brackets.",
    ),
    "## Against the goals",
    table(
      ["", "goal", ...measured.map(({ launcher }) => launcher.name)],
      ROWS.map(({ what, goal, text, isMet }) => [
        what,
        goal,
        ...measured.map(({ launcher, figures }) => {
          const mark = isMet(figures, launcher.isNode24) ? " ✅" : " ❌";
          return text(figures) + (launcher.isPeer ? "" : mark);
        }),
      ]),
    ),
    ...missing.map(({ name, reason }) => `- ${name}: ${reason}`),
    gitSection(git),
    "## All figures",
    table(
      ["", "p50 ms", "p99 ms", "requests a second", "processor time, µs", "first event p99 ms", "event p99 ms"],
      [
        [DIRECT, direct] as const,
        ...measured.map(({ launcher, figures }) => [launcher.name, figures.turns] as const),
      ].map(([name, turns]) => [
        name,
        figure(turns.p50, 2),
        figure(turns.p99, 2),
        figure(turns.rate, 0),
        figure(turns.processor, 0),
        turns.firstEventP99.toFixed(1),
        turns.eventP99.toFixed(1),
      ]),
    ),
    table(
      [
        "",
        `${megabytes(amounts.bytes)} up, s`,
        `${megabytes(amounts.bytes)} down, s`,
        "start with --redact, ms",
        "MB with --redact",
      ],
      measured.map(({ launcher, figures: { volume, start } }) => [
        launcher.name,
        (volume.up / 1000).toFixed(1),
        (volume.down / 1000).toFixed(1),
        figure(start.masked, 1),
        start.residentMasked.toFixed(0),
      ]),
    ),
    "## What cannot be reached, and why",
    list(limits(measured)),
    "## How to read this",
    list(NOTES),
  ].join("\n\n");
  const { code } = await format("broker.md", page("What the broker costs", "npx tsx bench/broker.ts", content));
  return code;
}

const MOST_OF_GIT = 1.15;

/** Returns the section on git and gh. */
export function gitSection({ direct, ratios }: GitTurns): string {
  const tasks = [
    ["git clone, 100 MB", "clone"],
    ["git push, 100 MB", "push"],
    ["gh api user", "gh"],
  ] as const;
  const names = [...ratios.keys()].filter((name) => name !== DIRECT);
  const ratioOf = (name: string, task: keyof GitTurns["direct"]): string => {
    const ratio = ratios.get(name)?.[task];
    if (ratio === undefined) return "";
    return `${figure(ratio, 2)}× ${ratio.median <= MOST_OF_GIT ? "✅" : "❌"}`;
  };
  return [
    "## git and gh",
    wrap(
      `git and gh use a local git server (\`git http-backend\`) and a local GitHub API, both behind TLS. The files are ` +
        "random, and packed before. Each ratio is taken within a turn; the goal is at most " +
        `${MOST_OF_GIT}×.`,
    ),
    table(
      ["", "direct, ms", ...names],
      tasks.map(([what, task]) => [what, figure(direct[task], 0), ...names.map((name) => ratioOf(name, task))]),
    ),
  ].join("\n\n");
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function figure({ median, low, high }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}
