/**
 * What a start pays for loading each package, bundled as the build does it: `npm run bench:packages` writes
 * docs/packages.md. Each is a process of its own, in turns with the others.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { timeInTurns, type Case } from "./measure.ts";
import { bareEnvironment, nodeOf, root } from "./surroundings.ts";

const ROUNDS = 60;
const PACKAGES: Readonly<Record<string, string>> = {
  "cross-spawn": 'import spawn from "cross-spawn"; globalThis.kept = spawn;',
  "node:child_process alone": 'import { spawn } from "node:child_process"; globalThis.kept = spawn;',
  "signal-exit": 'import { onExit } from "signal-exit"; onExit(() => {});',
  yargs: 'import yargs from "yargs"; void yargs([]).option("a", { type: "string" }).getHelp();',
  "util.parseArgs": `import { parseArgs } from "node:util";
    parseArgs({ args: ["--mode", "spawn"], options: { mode: { type: "string" } }, strict: false, tokens: true });`,
  "@pulumi/esc-sdk, its raw client": `import { EscApi } from "@pulumi/esc-sdk/esc/raw/api.js";
    import { Configuration } from "@pulumi/esc-sdk/esc/raw/configuration.js";
    globalThis.kept = new EscApi(new Configuration({}), "", {});`,
};

const HEAD = `# What packages cost to load

Written by \`npm run bench:packages\`: each row is a process that loads the package, bundled and minified, and makes its
first use of it; ${ROUNDS} rounds in turns, medians, and the quartiles of the ratio.
`;

void main(mkdtempSync(join(tmpdir(), "sophia-run-packages-")));
async function main(folder: string): Promise<void> {
  try {
    const scripts = new Map<string, string>();
    for (const [name, source] of Object.entries(PACKAGES)) scripts.set(name, await bundle(name, source, folder));
    const sections = [20, 24].map((major) => section(nodeOf(major), scripts, folder));
    writeFileSync(join(root, "docs/packages.md"), `${HEAD}\n${sections.join("\n")}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function bundle(name: string, source: string, folder: string): Promise<string> {
  const outfile = join(folder, `${name.replaceAll(/\W+/g, "-")}.cjs`);
  const entry = outfile.replace(/\.cjs$/, ".mjs");
  writeFileSync(entry, source);
  const input = await rolldown({
    cwd: root,
    input: entry,
    platform: "node",
    resolve: { alias: { axios: join(root, "scripts/no-axios.mjs") }, modules: [join(root, "node_modules")] },
    transform: { target: "node20.19", define: { "import.meta.resolve": "undefined" } },
  });
  await input.write({ file: outfile, format: "cjs", minify: true, comments: false, dynamicImportInCjs: false });
  await input.close();
  return outfile;
}

function section(node: string, scripts: ReadonlyMap<string, string>, folder: string): string {
  const empty = join(folder, "empty.cjs");
  writeFileSync(empty, "");
  const toCase = (name: string, script: string): Case => ({
    name,
    argv: [node, script],
    env: bareEnvironment,
    cwd: folder,
  });
  const cases = [toCase("nothing", empty), ...Array.from(scripts, ([name, script]) => toCase(name, script))];
  const [base, ...timings] = timeInTurns(cases, ROUNDS);
  const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |\n`;
  const rows = timings.map(({ name, wall, wallRatio }) => {
    const more = wall.median - (base?.wall.median ?? 0);
    return row([
      name,
      more.toFixed(1),
      `${wallRatio.median.toFixed(2)} (${wallRatio.low.toFixed(2)}–${wallRatio.high.toFixed(2)})`,
    ]);
  });
  const version = execFileSync(node, ["--version"], { encoding: "utf8" }).trim();
  return [
    `## Node.js ${version}\n\nAn empty script: ${(base?.wall.median ?? 0).toFixed(1)} ms.\n\n`,
    row(["loading", "ms more", "against an empty script"]),
    row(["---", "---", "---"]),
    ...rows,
  ].join("");
}
