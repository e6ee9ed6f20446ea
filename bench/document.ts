import { cpus } from "node:os";
import type { Beside, Spread, Timing } from "./measure.ts";
import type { Missing } from "./peers.ts";
import type { Installed } from "./surroundings.ts";

/** All that was measured with one version of Node.js. */
export interface NodeResults {
  readonly version: string;
  readonly start: readonly Timing[];
  readonly withEsc: readonly Timing[];
  /** A start without ESC, and one that is served what was kept of it. */
  readonly fresh: readonly Timing[];
  /** On one run with ESC and a full name. */
  readonly wire: { readonly requests: number; readonly connections: number };
  readonly scaling: readonly {
    readonly variables: number;
    readonly rules: number;
    readonly timings: readonly Timing[];
  }[];
  readonly beside: readonly Beside[];
  readonly installed: readonly Installed[];
  /** Peers that are not in the first table, and those that are not in the one with ESC. */
  readonly missing: readonly Missing[];
  readonly missingWithEsc: readonly Missing[];
}

/** The rows of a start without options begin so; the package manager that installed it follows. */
export const INSTALLED_BY = "sophia-run, installed by ";

export interface Results {
  readonly nodes: readonly NodeResults[];
  readonly rounds: number;
  /** A stand-alone executable was there to be measured. */
  readonly executable: boolean;
}

/** What Bun itself takes for a program of nothing; made beside the stand-alone executable. */
export const EMPTY_EXECUTABLE = "empty executable of Bun";

/** docs/benchmark.md. */
export function document({ nodes, rounds, executable }: Results): string {
  return `# What sophia-run costs

Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}: ${cpus()[0]?.model ?? "an unknown processor"}, ${cpus().length} cores,
${process.platform} ${process.arch}, Node.js ${nodes.map(({ version }) => version).join(" and ")}. Each process was started ${rounds} times, in turns with the others and in
another order each turn; a ratio is taken within a turn. Of each figure there is the median and, in brackets, the two quartiles. Processor time is user and
system time of the process and what it started. The package was packed, and installed by each package manager as it does by default, which runs no scripts; each process had an environment of its own, a \`.env\` file and the Sophia contract, which was met.

![Processor time of a start, as multiples of a bare Node.js](benchmark.svg)

## Against the goals

${goals(nodes)}

${nodes.map(nodeSection).join("\n")}
## Size

${nodes[0]?.installed.map(sizes).join("") ?? ""}
## How to read this

- **Where a start goes.** sophia-run becomes the program by an addon, so that no process is forked, awaited or torn down: the
  row "least Node.js that becomes it" does just that, at the cost of \`node -e 0\`. What is left is reading the program and
  its compiled code, settling options, looking at the inherited descriptors, reading the \`.env\` file, checking the contract. The
  row "least Node.js wrapper" does no more than load \`node:child_process\` and start \`true\`.
- **Compiled code.** The first start of a user keeps what V8 has compiled, in \`~/.cache/sophia-run\`; what is measured are the
  starts after it. Where there is no home that can be written, and in the first start, each start compiles: the row
  "sophia-run that can keep no code".
- **Noise.** Other processes that ran on this machine at the same time widen the quartiles of the wall times; processor
  times are the steadier measure.
- **Large environments.** What is added is taken within a turn and leaves out what a bare Node.js itself takes longer with
  such an environment. Its processor time is more than its wall time: V8 compiles loops over thousands of variables and
  collects garbage on other cores.
- **What was kept of ESC.** \`--cache-fresh\` asks nobody; what such a start takes beyond one without ESC is its
  own code, deriving the key and decrypting, and loading \`node:crypto\`, which takes most of it.
- **What the others do.** dotenv-cli, env-cmd, dotenvx, varlock, fnox and secretspec read the \`.env\` file. doppler reads its
  fallback file, without its service, and derives the key for it at every start. chamber runs without a store
  (\`--backend null\`), cross-env sets one variable, direnv finds nothing to load; tini and dumb-init only start the program.
  With ESC, \`esc run\` and \`pulumi env run\` are signed in already and read the same environment. Each was first seen to
  start a program and to give it what it reads. \`bench/peers/fetch.sh\` builds those in Go and Rust at fixed versions;
  secretspec is built without the stores that it can speak to.
- **NODE_EXTRA_CA_CERTS** is not set: Node.js 20 reads and parses these certificates at every start, before any program's
  first line, and what a launcher costs would look small beside it.
${executable ? "" : "- The stand-alone executable is measured where `npm run build:standalone` has made one; here it was not.\n"}`;
}

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

### With what was kept of ESC

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

### Beside the program

| | resident | at most | signal to the program's answer | program's end to the wrapper's |
| --- | --- | --- | --- | --- |
${beside
  .map(
    ({ name, resident, maximum, signal, end }) =>
      `| ${name} | ${mib(resident)} | ${mib(maximum)} | ${figure(signal, 0)} µs | ${figure(end, 0)} µs |`,
  )
  .join("\n")}

Where sophia-run becomes the program, nothing of it is left: no memory, no way for a signal to take.
`;
}

function sizes({ by, packedBytes, installed: { bytes, files }, packages }: Installed): string {
  return `- ${by}: ${kib(packedBytes)} packed; ${kib(bytes)} in ${files} files; packages: ${packages.join(", ")}.\n`;
}

function goals(nodes: readonly NodeResults[]): string {
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
    row(`\`-- true\` against \`node -e 0\`, installed by ${by}`, "≤ 1.2×", ({ start }) =>
      ratio(
        start.find(({ name }) => name === INSTALLED_BY + by),
        1.2,
      ),
    );
  }
  row("with options before `--`", "≤ 1.2×", ({ start }) =>
    ratio(
      start.find(({ name }) => name.includes("options before")),
      1.2,
    ),
  );
  row("with ESC against the least script", "≤ 1.25×", ({ withEsc }) => ratio(withEsc[1], 1.25));
  row("`--cache-fresh` against a start without ESC", "≤ 1.4×", ({ fresh }) => ratio(fresh[1], 1.4));
  row("round trips, full name", "2 on 1 connection", ({ wire: { requests, connections } }) => ({
    value: `${requests} on ${connections}`,
    met: requests === 2 && connections === 1,
  }));
  row("resident beside the program, against a bare wrapper", "≤ 1.1×", ({ beside }) => {
    const value = (beside[1]?.resident ?? Number.NaN) / (beside[0]?.resident ?? Number.NaN);
    return { value: `${value.toFixed(2)}×`, met: value <= 1.1 };
  });
  row("installed", "≤ 1.5 MB, 1 package", ({ installed }) => {
    const bytes = Math.max(...installed.map((one) => one.installed.bytes));
    const packages = Math.max(...installed.map((one) => one.packages.length));
    return { value: `${(bytes / 1e6).toFixed(2)} MB, ${packages}`, met: bytes <= 1.5e6 && packages === 1 };
  });
  const executable = "stand-alone executable";
  const ofBun = (start: NodeResults["start"], wall: number): string => {
    const empty = cost(start.find(({ name }) => name === EMPTY_EXECUTABLE));
    return Number.isNaN(empty) ? "" : `, ${(wall / empty).toFixed(1)}× an empty one of Bun`;
  };
  const within = (timing: Timing | undefined, most: number) => {
    const wall = cost(timing);
    return { value: `${wall.toFixed(1)} ms`, met: wall <= most };
  };
  if (nodes.some(({ start }) => start.some(({ name }) => name === executable))) {
    row("stand-alone executable, `-- true`", "≤ 7 ms", ({ start }) => {
      const timing = start.find(({ name }) => name === executable);
      const { value, met } = within(timing, 7);
      return { value: value + ofBun(start, cost(timing)), met };
    });
    row("stand-alone executable with ESC", "≤ 35 ms", ({ withEsc }) =>
      within(
        withEsc.find(({ name }) => name === executable),
        35,
      ),
    );
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
  return missing.map(({ name, missing: why }) => `- ${name}: ${why}.\n`).join("");
}

/** Milliseconds that sophia-run takes longer than in another pair, without what a bare Node.js takes longer. */
function beyond(pair: readonly Timing[] = [], other: readonly Timing[] = []): { wall: number; cpu: number } {
  const added = (which: "wallBeyond" | "cpuBeyond"): number =>
    (pair[1]?.[which].median ?? Number.NaN) - (other[1]?.[which].median ?? Number.NaN);
  return { wall: added("wallBeyond"), cpu: added("cpuBeyond") };
}

function addedWords({ wall, cpu }: { readonly wall: number; readonly cpu: number }): string {
  return `${wall.toFixed(1)} ms wall, ${cpu.toFixed(1)} ms CPU`;
}

function cost(timing: Timing | undefined): number {
  return timing?.wall.median ?? Number.NaN;
}

function figure(spread: Spread | undefined, digits = 1): string {
  if (spread === undefined) return "–";
  return `${spread.median.toFixed(digits)} (${spread.low.toFixed(digits)}–${spread.high.toFixed(digits)})`;
}

function mib(kibibytes: number): string {
  return `${(kibibytes / 1024).toFixed(1)} MiB`;
}

function kib(bytes: number): string {
  return `${(bytes / 1024).toFixed(0)} KiB`;
}
