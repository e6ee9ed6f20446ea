/**
 * `npm run bench`: measures starts against a bare Node.js and other launchers, as ratios taken within a turn. Writes
 * docs/measurements/benchmark.md and .svg. `--quick` takes a quarter of the rounds; `--dry` writes nothing.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chart } from "./chart.ts";
import { document, EXECUTABLE, INSTALLED_BY, type NodeResults, type Results } from "./document.ts";
import { measureBeside, timeInTurns, type Case, type Timing } from "./measure.ts";
import { curlRequests, escPeers, initPeers, peers } from "./peers.ts";
import {
  BARE_ENVIRONMENT,
  cache,
  CONTRACT_VALUES,
  escService,
  installations,
  nodeOf,
  root,
  scaled,
  standalone,
  workingDirectory,
  type EscService,
  type Installed,
} from "./surroundings.ts";

const MAJORS = [20, 24] as const;
const rounds = process.argv.includes("--quick") ? 10 : 40;
const executable = standalone();

async function main(): Promise<void> {
  const temporary = mkdtempSync(join(tmpdir(), "sophia-run-bench-"));
  mkdirSync(cache, { recursive: true });
  const esc = await escService();
  const escByTls = await escService("--tls");
  try {
    const cwd = workingDirectory(temporary);
    const installed = await installations(temporary);
    const nodes: NodeResults[] = [];
    for (const major of MAJORS) nodes.push(await measureNode(major, cwd, temporary, { esc, escByTls }, installed));
    const results: Results = {
      nodes,
      rounds,
      executable:
        executable === undefined
          ? undefined
          : { bytes: statSync(executable).size, inARow: measureInARow(executable, cwd, temporary, escByTls) },
    };
    const text = await document(results);
    if (process.argv.includes("--dry")) {
      process.stdout.write(text);
      return;
    }
    writeFileSync(join(root, "docs/measurements/benchmark.md"), text);
    writeFileSync(join(root, "docs/measurements/benchmark.svg"), chart(results));
  } finally {
    esc.close();
    escByTls.close();
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function measureNode(
  major: number,
  cwd: string,
  temporary: string,
  { esc, escByTls }: Readonly<Record<"esc" | "escByTls", EscService>>,
  installed: readonly Installed[],
): Promise<NodeResults> {
  const node = nodeOf(major);
  const [first] = installed;
  if (first === undefined) throw new Error("nothing was installed");
  const home = homeIn(temporary);
  const env = { ...BARE_ENVIRONMENT, ...home, ...CONTRACT_VALUES };
  const of = (name: string, argv: readonly string[], more: Readonly<Record<string, string>> = {}): Case => ({
    name,
    argv,
    cwd,
    env: { ...env, ...more },
  });
  const sophia = (...options: readonly string[]): readonly string[] => [node, first.entry, ...options, "--", "true"];
  const own = [
    of("`node -e 0`", [node, "-e", "0"]),
    ...installed.map(({ by, entry }) => of(`${INSTALLED_BY}${by}`, [node, entry, "--", "true"])),
    of("sophia-run, options before `--`", sophia("--timeout", "20s", "--prefer", "environment")),
    of("sophia-run without compiled code", sophia(), { HOME: BARE_ENVIRONMENT.HOME }),
    of("sophia-run `--mode spawn`", sophia("--mode", "spawn")),
    of("minimal Node.js wrapper", [node, join(root, "bench/wrapper.cjs"), "true"]),
    ...(first.addon === undefined
      ? []
      : [of("minimal exec", [node, join(root, "bench/become.cjs"), first.addon, "/bin/true"])]),
    ...(executable === undefined ? [] : executableStarts(executable, cwd, env)),
  ];
  const others = await peers({ node, major, cwd, env, temporary });
  const start = timeInTurns([...own, ...others.cases], rounds);
  const reading = (name: string, argv: readonly string[], service = esc): Case => ({
    name,
    argv,
    cwd,
    env: { ...BARE_ENVIRONMENT, ...home, ...service.env },
  });
  const othersWithEsc = escPeers({ node, major, cwd, env: BARE_ENVIRONMENT, temporary }, esc);
  const withEsc = timeInTurns(
    [
      reading("minimal script", [node, join(root, "bench/esc-minimal.cjs"), "true"]),
      reading("sophia-run", sophia()),
      ...(executable === undefined
        ? []
        : [
            reading(EXECUTABLE.plain, [executable, "--", "true"]),
            reading(EXECUTABLE.tls, [executable, "--", "true"], escByTls),
          ]),
      ...curlRequests({ node, major, cwd, env: BARE_ENVIRONMENT, temporary }, escByTls),
      ...othersWithEsc.cases,
    ],
    rounds,
  );
  const fresh = timeInTurns(
    [of("without ESC", sophia()), reading("`--cache-fresh 10m`", sophia("--cache-fresh", "10m"))],
    rounds,
  );
  await esc.count();
  timeInTurns([reading("sophia-run", sophia())], 1);
  // timeInTurns runs each case one more time, which is not counted.
  const wire = await esc.count();
  const bare = of("node", [node, "-e", "0"]);
  const whole = of("sophia-run", sophia());
  const sizes = [
    [50, 16],
    [500, 160],
    [5000, 1000],
  ] as const;
  const scaling = sizes.map(([variables, rules]) => ({
    variables,
    rules,
    timings: timeInTurns(
      [scaled(bare, variables, rules, temporary), scaled(whole, variables, rules, temporary)],
      Math.ceil(rounds / 2),
    ),
  }));
  const beside = measureBeside(
    [
      of("minimal Node.js wrapper", [node, join(root, "bench/wrapper.cjs")]),
      of("sophia-run `--mode spawn`", sophia("--mode", "spawn").slice(0, -1)),
      ...(executable === undefined
        ? []
        : [
            of(EXECUTABLE.spawn, [executable, "--mode", "spawn", "--"]),
            of(EXECUTABLE.redact, [executable, "--redact", "--"]),
          ]),
    ],
    Math.ceil(rounds / 4),
  );
  return {
    version: execFileSync(node, ["--version"], { encoding: "utf8" }).trim(),
    start,
    withEsc,
    fresh,
    wire: { requests: wire.requests / 2, connections: wire.connections / 2 },
    scaling,
    beside,
    installed,
    missing: others.missing,
    missingWithEsc: othersWithEsc.missing,
  };
}

/** Measures the executable, and what starts as fast, each by itself: nothing else empties the processor's caches. */
function measureInARow(file: string, cwd: string, temporary: string, escByTls: EscService): readonly Timing[] {
  const home = homeIn(temporary);
  const env = { ...BARE_ENVIRONMENT, ...home, ...CONTRACT_VALUES };
  const setting = { node: process.execPath, major: MAJORS[0], cwd, env, temporary };
  const cases: readonly Case[] = [
    { name: "`true`", argv: ["/bin/true"], cwd, env },
    ...initPeers(setting),
    ...executableStarts(file, cwd, env),
    { name: EXECUTABLE.tls, argv: [file, "--", "true"], cwd, env: { ...BARE_ENVIRONMENT, ...home, ...escByTls.env } },
    ...curlRequests(setting, escByTls),
  ];
  return cases.flatMap((one) => timeInTurns([one], 5 * rounds));
}

function executableStarts(file: string, cwd: string, env: Case["env"]): readonly Case[] {
  return [
    { name: EXECUTABLE.plain, argv: [file, "--", "true"], cwd, env },
    { name: EXECUTABLE.spawn, argv: [file, "--mode", "spawn", "--", "true"], cwd, env },
  ];
}

/** Returns a home in which each first start, which is not counted, stores compiled code. */
function homeIn(temporary: string): { readonly HOME: string } {
  const folder = join(temporary, "user");
  mkdirSync(join(folder, ".cache"), { recursive: true });
  return { HOME: folder };
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
