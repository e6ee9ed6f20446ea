/**
 * `npx tsx bench/packages.ts`: measures what packages, modules of Node.js and some statements cost a start, and writes
 * docs/measurements/packages.md. Each is bundled, loaded and used once in a process that takes the time itself.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { page, table, wrap } from "../scripts/markdown.ts";
import { spread } from "./measure.ts";
import { BARE_ENVIRONMENT, nodeOf, root } from "./surroundings.ts";

const ROUNDS = 60;

/** The source that loads each, with its first use. */
const USES: Readonly<Record<string, string>> = {
  nothing: "",
  yargs: 'import yargs from "yargs"; void yargs([]).option("a", { type: "string" }).getHelp();',
  "cross-spawn": 'import spawn from "cross-spawn"; globalThis.kept = spawn;',
  "signal-exit": 'import { onExit } from "signal-exit"; onExit(() => {});',
  dotenv: 'import { parse } from "dotenv"; parse("A=1");',
  "@pulumi/esc-sdk, its raw client": `import { EscApi } from "@pulumi/esc-sdk/esc/raw/api.js";
    import { Configuration } from "@pulumi/esc-sdk/esc/raw/configuration.js";
    globalThis.kept = new EscApi(new Configuration({}), "", {});`,
  "node:util, parseArgs": `import { parseArgs } from "node:util";
    parseArgs({ args: ["--mode", "spawn"], options: { mode: { type: "string" } }, strict: false, tokens: true });`,
  "node:child_process": 'import { spawn } from "node:child_process"; globalThis.kept = spawn;',
  "node:path, as the search for files": `import { dirname, join } from "node:path";
    for (let folder = "/home/user/projects/service/packages/api"; folder !== "/"; folder = dirname(folder))
      for (const name of ["sophia.contract.json", ".git"]) join(folder, name);`,
  "node:os": 'import { constants } from "node:os"; globalThis.kept = constants;',
  "node:tty": 'import { isatty } from "node:tty"; isatty(2);',
  "the global performance": "performance.now();",
  "all links in /proc/self/fd": `import { readdirSync, readlinkSync } from "node:fs";
    for (const name of readdirSync("/proc/self/fd")) try { readlinkSync("/proc/self/fd/" + name); } catch {}`,
  "four links in /proc/self/fd": `import { readdirSync, readlinkSync } from "node:fs";
    readdirSync("/proc/self/fd"); for (const name of [0, 1, 2, 3]) readlinkSync("/proc/self/fd/" + name);`,
  "the expression for placeholders": `import { isPlaceholder } from ${JSON.stringify(join(root, "src/contract/placeholder.ts"))};
    isPlaceholder({ name: "A", label: "A", description: "", secret: true, aliases: [] }, "set-of-values");`,
};

const HEAD = wrap(
  "Milliseconds in which a process loads each, bundled and minified, and uses it once, without a code cache. The median of " +
    `${ROUNDS} processes with the quartiles in brackets. The first row does nothing and is part of all others.`,
);

void main(mkdtempSync(join(tmpdir(), "sophia-run-packages-")));

async function main(folder: string): Promise<void> {
  try {
    const files = new Map<string, string>();
    for (const [name, source] of Object.entries(USES)) files.set(name, await bundle(name, source, folder));
    const columns = [20, 24].map((major) => measure(nodeOf(major), files));
    const rows = Array.from(files.keys(), (name) => [name, ...columns.map(({ cells }) => cells.get(name) ?? "")]);
    const content = `${HEAD}\n\n${table(["", ...columns.map(({ version }) => version)], rows)}`;
    writeFileSync(
      join(root, "docs/measurements/packages.md"),
      page("Costs of packages and modules at a start", "npx tsx bench/packages.ts", content),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Returns the path of a CommonJS file. */
async function bundle(name: string, source: string, folder: string): Promise<string> {
  const entry = join(folder, `${name.replaceAll(/\W+/g, "-")}.mjs`);
  const file = entry.replace(/\.mjs$/, ".cjs");
  writeFileSync(entry, source);
  const input = await rolldown({
    cwd: root,
    input: entry,
    platform: "node",
    resolve: { alias: { axios: join(root, "scripts/no-axios.mjs") }, modules: [join(root, "node_modules")] },
    transform: { target: "node20.19", define: { "import.meta.resolve": "undefined" } },
  });
  await input.write({ file, format: "cjs", minify: true, comments: false, dynamicImportInCjs: false });
  await input.close();
  return file;
}

/** Returns the cells of one version of Node.js, by name. */
function measure(node: string, files: ReadonlyMap<string, string>) {
  const script = `const start = process.hrtime.bigint();
    require(process.argv[1]);
    require("node:fs").writeSync(1, String(process.hrtime.bigint() - start));`;
  const times = new Map(Array.from(files.keys(), (name) => [name, [] as number[]]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, file] of files) {
      const output = execFileSync(node, ["-e", script, file], { env: BARE_ENVIRONMENT, encoding: "utf8" });
      times.get(name)?.push(Number(output) / 1_000_000);
    }
  }
  const cells = new Map(
    Array.from(times, ([name, ms]) => {
      const { median, low, high } = spread(ms);
      return [name, `${median.toFixed(1)} (${low.toFixed(1)}–${high.toFixed(1)})`];
    }),
  );
  return { version: `Node.js ${execFileSync(node, ["--version"], { encoding: "utf8" }).trim()}`, cells };
}
