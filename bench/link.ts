/**
 * `npx tsx bench/link.ts`: measures starts of `node_modules/.bin/sophia-run` before and after `sophia-run link`, and whole runs of
 * scripts by package managers. Writes docs/measurements/link.md. `--quick` takes a quarter of the rounds; `--dry` prints.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { format } from "oxfmt";
import { page, table, wrap } from "../scripts/markdown.ts";
import {
  type Client,
  packageManagerEnvironment,
  availableClients,
  furtherPackageManagers,
} from "../test/helpers/package-managers.ts";
import { packPackage } from "../test/helpers/pack.ts";
import { buildPackage } from "../test/helpers/build.ts";
import { type Case, type Spread, timeInTurns, type Timing } from "./measure.ts";
import { CONTRACT_VALUES, DOTENV_VALUES, escService, nodeOf, root, standalone } from "./surroundings.ts";

buildPackage();

const MAJORS = [20, 24] as const;
const rounds = process.argv.includes("--quick") ? 10 : 40;
/** The share of `node -e 0`. */
const GOAL = 0.12;

/** A project that has sophia-run installed, as a package manager left it or with the link. */
interface Installation {
  readonly name: string;
  readonly client: Client;
  readonly cwd: string;
}

/** By the package manager, whether it is linked or not. */
type Installations = readonly Readonly<Record<"before" | "after", Installation>>[];

async function main(temporary: string): Promise<void> {
  if (standalone() === undefined) throw new Error("there is no executable: npm run build:standalone");
  const esc = await escService("--tls");
  try {
    const home = join(temporary, "home");
    mkdirSync(join(home, ".cache"), { recursive: true });
    const places = await install(temporary, home);
    const starts = MAJORS.map((major) => ({ major, timings: measureStarts(nodeOf(major), places, home) }));
    const withEsc = MAJORS.map((major) => ({ major, timings: measureWithEsc(nodeOf(major), places, home, esc.env) }));
    const text = await document(starts, withEsc, measureRuns(places, home));
    if (process.argv.includes("--dry")) process.stdout.write(text);
    else writeFileSync(join(root, "docs/measurements/link.md"), text);
  } finally {
    esc.close();
  }
}

/** Installs the package twice with each package manager, and links it in one of the two projects. */
async function install(temporary: string, home: string): Promise<Installations> {
  const packed = await packPackage(home);
  const used = [...availableClients(), ...furtherPackageManagers()].filter(({ name }) =>
    /^(?:npm 12|pnpm 1[12]|Bun)$/.test(name),
  );
  return used.map((client) => {
    const [before, after] = (["before", "after"] as const).map((state): Installation => {
      const cwd = join(temporary, `${client.name} ${state}`);
      mkdirSync(cwd);
      writeFileSync(join(cwd, "package.json"), JSON.stringify({ scripts: { job: "sophia-run -- true" } }));
      const lines = Object.entries(DOTENV_VALUES).map(([name, value]) => `${name}=${value}\n`);
      writeFileSync(join(cwd, ".env"), lines.join(""), { mode: 0o600 });
      cpSync(packed, join(cwd, basename(packed)));
      const [command, ...words] = client.command;
      execFileSync(command, [...words, ...client.add(basename(packed))], {
        cwd,
        env: packageManagerEnvironment(home),
        stdio: ["ignore", "ignore", "inherit"],
      });
      return { name: client.name, client, cwd };
    });
    if (before === undefined || after === undefined) throw new Error("no projects");
    const env = packageManagerEnvironment(home);
    execFileSync(commandIn(after), ["link"], { cwd: after.cwd, env });
    execFileSync(commandIn(after), ["link", "--check"], { cwd: after.cwd, env });
    return { before, after };
  });
}

function commandIn({ cwd }: Installation): string {
  return join(cwd, "node_modules/.bin/sophia-run");
}

function environment(node: string, home: string): Readonly<Record<string, string>> {
  return { PATH: [dirname(node), "/usr/bin", "/bin"].join(delimiter), HOME: home };
}

function measureStarts(node: string, places: Installations, home: string): readonly Timing[] {
  const [{ before } = expectPlace()] = places;
  const env = { ...environment(node, home), ...CONTRACT_VALUES };
  const start = (name: string, place: Installation): Case => ({
    name,
    argv: [commandIn(place), "--", "true"],
    cwd: place.cwd,
    env,
  });
  return timeInTurns(
    [
      { name: "`node -e 0`", argv: [node, "-e", "0"], cwd: before.cwd, env },
      ...places.flatMap((one) => [
        start(`${one.before.name}, before`, one.before),
        start(`${one.after.name}, linked`, one.after),
      ]),
    ],
    rounds,
  );
}

function measureWithEsc(node: string, places: Installations, home: string, esc: Case["env"]): readonly Timing[] {
  const [{ before, after } = expectPlace()] = places;
  const env = { ...environment(node, home), ...esc };
  return timeInTurns(
    [
      { name: "before", argv: [commandIn(before), "--", "true"], cwd: before.cwd, env },
      { name: "linked", argv: [commandIn(after), "--", "true"], cwd: after.cwd, env },
    ],
    rounds,
  );
}

/** Times whole runs of a script, by the Node.js that the package managers need. */
function measureRuns(places: Installations, home: string): readonly (readonly Timing[])[] {
  const env = { ...packageManagerEnvironment(home), ...CONTRACT_VALUES };
  return places.map(({ before, after }) =>
    timeInTurns(
      [before, after].map(({ cwd, client }, index) => ({
        name: `\`${before.name.toLowerCase().replace(/ .*/, "")} run\` of ${before.name}, ${index === 0 ? "before" : "linked"}`,
        argv: [...client.command, "run", "job"],
        cwd,
        env,
      })),
      Math.ceil(rounds / 2),
    ),
  );
}

function expectPlace(): never {
  throw new Error("nothing was installed");
}

interface OfMajor {
  readonly major: number;
  readonly timings: readonly Timing[];
}

async function document(
  starts: readonly OfMajor[],
  withEsc: readonly OfMajor[],
  runs: readonly (readonly Timing[])[],
): Promise<string> {
  const section = (title: string, { major, timings }: OfMajor): string =>
    `### ${title}, Node.js ${major}\n\n${rows(timings)}`;
  const linked = starts.flatMap(({ timings }) => timings.filter(({ name }) => name.endsWith("linked")));
  const most = (which: "wallRatio" | "cpuRatio"): number => Math.max(...linked.map((each) => each[which].median));
  const isMet = most("wallRatio") <= GOAL && most("cpuRatio") <= GOAL;
  const content = `${wrap(
    `Measured on ${new Date().toISOString().slice(0, 10)}: ${cpus().length} cores, ${process.arch}, with a load of ` +
      `${Math.round(loadavg()[1] ?? 0)}. Under a load, wall times are several times longer. Each process was started ${rounds} times, whole runs of a script ` +
      `${Math.ceil(rounds / 2)} times, in turns and in a different order each turn. Ratios are taken within a ` +
      "turn, to the first row of the table. Each figure is the median with the quartiles in brackets. Each start reads " +
      "a `.env` file, checks the Sophia contract and starts `true`.",
  )}

${wrap(
  `The goal is ${GOAL}× of \`node -e 0\` for a start through the link. The largest median is ` +
    `${most("wallRatio").toFixed(3)}× of its wall time and ${most("cpuRatio").toFixed(3)}× of its processor time ${isMet ? "✅" : "❌"}.`,
)}

## A start of \`node_modules/.bin/sophia-run\`

${starts.map((one) => section("A start", one)).join("\n")}
## A start with ESC over TLS, installed by npm

${wrap("The server is a process of Node.js on the same machine, whose time is part of each row.")}

${withEsc.map((one) => section("With ESC", one)).join("\n")}
## A whole run of a script

${runs.map((one) => rows(one)).join("\n")}`;
  const { code } = await format("link.md", page("Starts through the link", "npx tsx bench/link.ts", content));
  return code;
}

function rows(timings: readonly Timing[]): string {
  return `${table(
    ["", "wall ms", "CPU ms", "wall ×", "CPU ×", "memory MiB"],
    timings.map(({ name, wall, cpu, wallRatio, cpuRatio, resident }) => [
      name,
      figure(wall, 1),
      figure(cpu, 1),
      figure(wallRatio, 2),
      figure(cpuRatio, 2),
      (resident.median / 1024).toFixed(1),
    ]),
  )}\n`;
}

function figure({ median, low, high }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}

const temporary = mkdtempSync(join(tmpdir(), "sophia-run-link-"));
main(temporary)
  .catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  })
  .finally(() => rmSync(temporary, { recursive: true, force: true }));
