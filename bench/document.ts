import { cpus } from "node:os";
import { format } from "oxfmt";
import { list, page, wrap } from "../scripts/markdown.ts";
import { groupBy } from "../src/core/group-by.ts";
import type { ParentCost, Spread, Timing } from "./measure.ts";
import type { Missing } from "./peers.ts";
import type { Installed } from "./surroundings.ts";

/** The measurements with one version of Node.js. */
export interface NodeResults {
  readonly version: string;
  readonly start: readonly Timing[];
  readonly withEsc: readonly Timing[];
  /** A start without ESC, and one from the cache. */
  readonly fresh: readonly Timing[];
  /** Counts of one run with ESC and a full name. */
  readonly wire: { readonly requests: number; readonly connections: number };
  readonly scaling: readonly {
    readonly variables: number;
    readonly rules: number;
    readonly timings: readonly Timing[];
  }[];
  readonly beside: readonly ParentCost[];
  readonly installed: readonly Installed[];
  /** Peers that are missing in the first table, and in the one with ESC. */
  readonly missing: readonly Missing[];
  readonly missingWithEsc: readonly Missing[];
}

/** Begins the names of starts without options; the package manager follows. */
export const INSTALLED_BY = "sophia-run, installed by ";

export interface Results {
  readonly nodes: readonly NodeResults[];
  readonly rounds: number;
  /** The stand-alone executable, if there is one. */
  readonly executable: { readonly bytes: number; readonly inARow: readonly Timing[] } | undefined;
}

/** The cases with the stand-alone executable. */
export const EXECUTABLE = {
  plain: "stand-alone executable",
  spawn: "stand-alone executable `--mode spawn`",
  redact: "stand-alone executable `--redact`",
  tls: "stand-alone executable, over TLS",
} as const;

/** Returns docs/measurements/benchmark.md. */
export async function document({ nodes, rounds, executable }: Results): Promise<string> {
  const versions = nodes.map(({ version }) => version).join(" and ");
  const machine = `${cpus()[0]?.model ?? "an unknown processor"}, ${cpus().length} cores, ${process.platform} ${process.arch}`;
  const content = `${wrap(
    `Measured on ${new Date().toISOString().slice(0, 10)}: ${machine}, Node.js ${versions}. Each process was ` +
      `started ${rounds} times, in turns with the others and in a different order each turn; ratios are taken within ` +
      "a turn. Each figure is the median with the quartiles in brackets. Processor time is user and system time of " +
      "the process and of its children.",
  )}

${wrap(
  "Each package manager installed the packed package with its defaults, which run no scripts. Each process had its " +
    "own environment, a `.env` file and the Sophia contract, which was met.",
)}

![Processor time of a start, as multiples of a bare Node.js](benchmark.svg)

## Against the goals

${goals(nodes, executable)}
${executable === undefined ? "" : inARow(executable.inARow, rounds)}
${nodes.map(nodeSection).join("\n")}
## Size

${nodes[0]?.installed.map(sizes).join("") ?? ""}
## How to read this

${list([...NOTES, ...(executable === undefined ? ["The stand-alone executable was not measured: `npm run build:standalone` makes it."] : [])])}`;
  const { code } = await format("benchmark.md", page("What sophia-run costs", "npm run bench", content));
  return code;
}

const NOTES = [
  '**The start.** In exec mode an addon calls execve, so no process is forked or waited for. The row "minimal ' +
    'exec" does only that, at the cost of `node -e 0`. In the rest of the time sophia-run loads its compiled code, ' +
    'reads options, inherited descriptors and the `.env` file, and checks the contract. The row "minimal Node.js ' +
    'wrapper" only loads `node:child_process` and starts `true`.',
  "**Compiled code.** A user's first start [stores it](../launching.md#compiled-code). The starts after it were " +
    'measured. Without a writable home each start compiles: the row "sophia-run without compiled code".',
  "**Noise.** Other processes widen the quartiles of wall times; processor times are steadier.",
  "**Large environments.** The added time is that within a turn, without what a bare Node.js needs for such an " +
    "environment. Processor time exceeds wall time, because V8 compiles loops and collects garbage on other cores.",
  "**The cache.** `--cache-fresh` makes no request. Most of its extra time is loading `node:crypto`.",
  "**The others.** dotenv-cli, env-cmd, dotenvx, varlock, fnox and secretspec read the `.env` file. doppler reads " +
    "its fallback file and derives the key each time. chamber runs without a store (`--backend null`), cross-env " +
    "sets one variable, and direnv has nothing to load. tini and dumb-init only start the program. `pulumi env run` " +
    "is signed in and reads the same environment. `bench/peers/fetch.sh` builds those in Go and Rust at fixed " +
    "versions.",
  "**Over TLS** the server is a process of Node.js on the same two cores, which takes five of the milliseconds. " +
    "curl, a client in C, shows what two requests cost here.",
  "**NODE_EXTRA_CA_CERTS** is not set: Node.js 20 parses these certificates at every start, which would hide the cost " +
    "of a launcher.",
];

function nodeSection(results: NodeResults): string {
  const { version, start, withEsc, fresh, wire, scaling, beside, missing, missingWithEsc } = results;
  const base = scaling[0];
  return `## Node.js ${version}

### A start: environment and \`.env\`, contract checked

${timings(start)}
${reasons(missing)}
### With ESC on loopback, full name

${timings(withEsc)}
${reasons(missingWithEsc)}
One run makes ${wire.requests} requests on ${wire.connections} connection${wire.connections === 1 ? "" : "s"}.

### From the cache

${timings(fresh)}
### Large environments and contracts

| variables, rules | \`node -e 0\` wall ms | sophia-run wall ms | sophia-run CPU ms | added to 50 and 16, beyond Node.js |
| --- | --- | --- | --- | --- |
${scaling
  .map(({ variables, rules, timings: pair }) => {
    const added = addedWords(beyond(pair, base?.timings));
    return `| ${variables}, ${rules} | ${figure(pair[0]?.wall)} | ${figure(pair[1]?.wall)} | ${figure(pair[1]?.cpu)} | ${added} |`;
  })
  .join("\n")}

### The parent process in spawn mode

| | resident | at most | signal to the program's answer | program's end to the wrapper's |
| --- | --- | --- | --- | --- |
${beside
  .map(
    ({ name, resident, maximum, signal, end }) =>
      `| ${name} | ${memory(resident)} | ${memory(maximum)} | ${figure(signal, 0)} µs | ${figure(end, 0)} µs |`,
  )
  .join("\n")}

In exec mode no process of sophia-run remains.
`;
}

function sizes({ by, packedBytes, installed: { bytes, files }, packages }: Installed): string {
  return `- ${by}: ${kib(packedBytes)} packed; ${kib(bytes)} in ${files} files beside the executables; packages: ${packages.join(", ")}.\n`;
}

function inARow(rows: readonly Timing[], rounds: number): string {
  return `
## Starts in a row

${wrap(
  `Each of these was started ${5 * rounds} times in a row, as by a supervisor or a loop in a shell. In the tables ` +
    "below, each start comes after those of other programs, mostly Node.js, which have replaced its data in the " +
    "processor's caches.",
)}

| | wall ms | CPU ms |
| --- | --- | --- |
${rows.map(({ name, wall, cpu }) => `| ${name} | ${figure(wall)} | ${figure(cpu)} |`).join("\n")}

`;
}

function goals(nodes: readonly NodeResults[], executable: Results["executable"]): string {
  const rows: string[][] = [
    ["goal", "", ...nodes.map(({ version }) => version)],
    ["---", "---", ...nodes.map(() => "---")],
  ];
  const row = (name: string, goal: string, of: (results: NodeResults) => { value: string; met: boolean }): void => {
    rows.push([
      name,
      goal,
      ...nodes.map((results) => of(results)).map(({ value, met }) => `${value} ${met ? "✅" : "❌"}`),
    ]);
  };
  const ratio = (timing: Timing | undefined, most: number) => {
    const wall = timing?.wallRatio.median ?? Number.NaN;
    const cpu = timing?.cpuRatio.median ?? Number.NaN;
    return { value: `${wall.toFixed(2)}× wall, ${cpu.toFixed(2)}× CPU`, met: wall <= most && cpu <= most };
  };
  for (const by of nodes[0]?.installed.map((one) => one.by) ?? []) {
    row(`\`-- true\` against \`node -e 0\`, installed by ${by}`, "≤ 1.35×", ({ start }) =>
      ratio(
        start.find(({ name }) => name === INSTALLED_BY + by),
        1.35,
      ),
    );
  }
  row("with options before `--`", "≤ 1.35×", ({ start }) =>
    ratio(
      start.find(({ name }) => name.includes("options before")),
      1.35,
    ),
  );
  row("with ESC against a minimal script", "≤ 1.35×", ({ withEsc }) => ratio(withEsc[1], 1.35));
  row("`--cache-fresh` against a start without ESC", "≤ 1.4×", ({ fresh }) => ratio(fresh[1], 1.4));
  row("round trips, full name", "2 on 1 connection", ({ wire: { requests, connections } }) => ({
    value: `${requests} on ${connections}`,
    met: requests === 2 && connections === 1,
  }));
  row("memory of the parent in spawn mode, against a wrapper", "≤ 1.1×", ({ beside }) => {
    const value = (beside[1]?.resident ?? Number.NaN) / (beside[0]?.resident ?? Number.NaN);
    return { value: `${value.toFixed(2)}×`, met: value <= 1.1 };
  });
  row("installed, without the executables for Linux", "≤ 2.25 MB, 1 package", ({ installed }) => {
    const bytes = Math.max(...installed.map((one) => one.installed.bytes));
    const packages = Math.max(...installed.map((one) => one.packages.length));
    return { value: `${(bytes / 1e6).toFixed(2)} MB, ${packages}`, met: bytes <= 2.25e6 && packages === 1 };
  });
  if (executable !== undefined) {
    const within = (one: string, most: number) => (): { value: string; met: boolean } => {
      const wall = executable.inARow.find(({ name }) => name === one)?.wall.median ?? Number.NaN;
      return { value: `${wall.toFixed(1)} ms`, met: wall <= most };
    };
    const resident = (all: readonly ParentCost[], one: string, most: number): { value: string; met: boolean } => {
      const bytes = (all.find(({ name }) => name === one)?.resident ?? Number.NaN) * 1024;
      return { value: `${(bytes / 1e6).toFixed(2)} MB`, met: bytes <= most * 1e6 };
    };
    row("stand-alone executable, `-- true`, starts in a row", "≤ 4 ms", within(EXECUTABLE.plain, 4));
    row("the same with `--mode spawn`", "≤ 5 ms", within(EXECUTABLE.spawn, 5));
    row("the same with ESC over TLS", "≤ 12 ms", within(EXECUTABLE.tls, 12));
    row("memory of its parent in spawn mode", "≤ 0.2 MB", ({ beside }) => resident(beside, EXECUTABLE.spawn, 0.2));
    row("memory of its parent with `--redact`", "≤ 8 MB", ({ beside }) => resident(beside, EXECUTABLE.redact, 8));
    row("size of the executable", "≤ 5 MB", () => ({
      value: `${(executable.bytes / 1e6).toFixed(2)} MB`,
      met: executable.bytes <= 5e6,
    }));
  }
  row("5,000 variables and 1,000 rules, against 50 and 16", "≤ 30 ms wall", ({ scaling }) => {
    const added = beyond(scaling.at(-1)?.timings, scaling[0]?.timings);
    return { value: addedWords(added), met: added.wall <= 30 };
  });
  return rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function timings(rows: readonly Timing[]): string {
  const lines = rows.map(
    ({ name, wall, cpu, wallRatio, cpuRatio }) =>
      `| ${name} | ${figure(wall)} | ${figure(cpu)} | ${figure(wallRatio, 2)} | ${figure(cpuRatio, 2)} |`,
  );
  return ["| | wall ms | CPU ms | wall × | CPU × |", "| --- | --- | --- | --- | --- |", ...lines, ""].join("\n");
}

function reasons(missing: readonly Missing[]): string {
  const namesByReason = groupBy(missing, ({ missing: why }) => why);
  return Array.from(namesByReason, ([why, peers]) => `- ${peers.map(({ name }) => name).join(", ")}: ${why}.\n`).join(
    "",
  );
}

/** Returns the milliseconds that sophia-run adds to another pair, without those that a bare Node.js adds. */
function beyond(pair: readonly Timing[] = [], other: readonly Timing[] = []): { wall: number; cpu: number } {
  const added = (which: "wallBeyond" | "cpuBeyond"): number =>
    (pair[1]?.[which].median ?? Number.NaN) - (other[1]?.[which].median ?? Number.NaN);
  return { wall: added("wallBeyond"), cpu: added("cpuBeyond") };
}

function addedWords({ wall, cpu }: { readonly wall: number; readonly cpu: number }): string {
  return `${wall.toFixed(1)} ms wall, ${cpu.toFixed(1)} ms CPU`;
}

function figure(spread: Spread | undefined, digits = 1): string {
  if (spread === undefined) return "–";
  return `${spread.median.toFixed(digits)} (${spread.low.toFixed(digits)}–${spread.high.toFixed(digits)})`;
}

function memory(kibibytes: number): string {
  return kibibytes < 1024 ? `${kibibytes} KiB` : `${(kibibytes / 1024).toFixed(1)} MiB`;
}

function kib(bytes: number): string {
  return `${(bytes / 1024).toFixed(0)} KiB`;
}
