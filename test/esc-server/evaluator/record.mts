/**
 * Writes what the real evaluator answers into answers.json: `npx tsx test/esc-server/evaluator/record.mts`. `--check` compares it,
 * `--latest` takes the newest version in place of that of go.mod. Needs Go, which compiles the evaluator for half a minute the first
 * time.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFINITIONS, IMPORTED } from "./definitions.ts";

interface Answer {
  readonly environment: { readonly properties?: unknown } | null;
  readonly diagnostics: readonly unknown[];
}

const MODULE = ["main.go", "go.mod", "go.sum"];
const file = join(import.meta.dirname, "answers.json");
const jobs = DEFINITIONS.map(({ definition, check }) => ({
  name: "sophia/dev",
  definition,
  // It may import itself.
  environments: { ...IMPORTED, "sophia/dev": definition },
  check,
}));

const folder = mkdtempSync(join(tmpdir(), "evaluator-"));
try {
  for (const name of MODULE) cpSync(join(import.meta.dirname, name), join(folder, name));
  const go = (...args: readonly string[]): string =>
    execFileSync("go", args, { cwd: folder, input: JSON.stringify(jobs), encoding: "utf8" });
  if (process.argv.includes("--latest")) go("get", "github.com/pulumi/esc@latest");
  const answers: readonly Answer[] = JSON.parse(go("run", "-mod=mod", "."));
  const lines = answers.map(({ environment, diagnostics }, index) => {
    const { about, definition } = DEFINITIONS[index] ?? {};
    return `  ${JSON.stringify({ about, definition, properties: environment?.properties, diagnostics })}`;
  });
  const text = `[\n${lines.join(",\n")}\n]\n`;
  if (!process.argv.includes("--check")) writeFileSync(file, text);
  else if (readFileSync(file, "utf8") !== text) {
    const known = new Set(readFileSync(file, "utf8").split(/,?\n/));
    const changed = lines.filter((line) => !known.has(line));
    process.stderr.write(`the evaluator answers otherwise than answers.json has it:\n${changed.join("\n")}\n`);
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
