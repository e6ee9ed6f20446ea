/**
 * `npm run docs`: runs the commands in the console blocks of some sections, each in a project that has a `.env`, and writes what
 * they print below them. `--check` only compares.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fencedBlocksOf, sectionOf, type Block } from "../test/helpers/markdown.ts";
import { openProject, README_EDITS } from "./demo/project.ts";
import { transcript } from "./demo/transcript.ts";

const root = join(import.meta.dirname, "..");

interface ShownSections {
  readonly document: string;
  /** Headings of the sections whose blocks run in one shell, in their order: `sh` sets up, `console` shows. */
  readonly sections: readonly string[];
  /** Files that the reader edits before each console block, in the demo's project. Without them the blocks start in an empty folder. */
  readonly edits?: readonly Readonly<Record<string, string>>[];
}

const PARTS: readonly ShownSections[] = [
  { document: "README.md", sections: ["The first minute", "Under a coding agent"], edits: README_EDITS },
  {
    document: "docs/first-value.md",
    // Installing the package is up to first-value-page.slow.test.ts, which runs the whole page.
    sections: ["1. Your project", "3. The contract", "4. Fix the values", "5. Under a coding agent"],
  },
];

/** Runs the blocks, and returns the new text of each console block. */
function run(blocks: readonly Block[], edits: ShownSections["edits"]): readonly string[] {
  const project = openProject();
  const empty = mkdtempSync(join(tmpdir(), "sophia-run-docs-"));
  try {
    let shown = 0;
    const script = blocks.map(({ language, text }) => {
      // Here is no terminal at which `init` asks: `--yes` is the answer of the page.
      if (language === "sh") return `set -e\n${text.replace(/^sophia-run init$/m, "sophia-run init --yes")}set +e\n`;
      const files = Object.entries(edits?.[shown] ?? {});
      shown += 1;
      const folder = join(empty, `edit-${shown}`);
      mkdirSync(folder);
      for (const [name, content] of files) writeFileSync(join(folder, name), content, { mode: 0o600 });
      const copies = files.map(([name]) => `cp '${join(folder, name)}' '${name}'\n`);
      return `${copies.join("")}printf '\\0'\n${transcript(text)}printf '\\0'\n`;
    });
    const path = join(empty, "blocks.sh");
    writeFileSync(path, `exec 2>&1\n${script.join("")}`);
    const folder = edits === undefined ? join(empty, "here") : project.cwd;
    mkdirSync(folder, { recursive: true });
    const { status, stdout } = spawnSync("bash", ["--norc", path], {
      cwd: folder,
      env: { ...project.environment, npm_config_update_notifier: "false" },
      encoding: "utf8",
      timeout: 60_000,
    });
    // The others have the output of `sh` blocks, which is not shown.
    const outputs = stdout.split("\0").filter((_, index) => index % 2 === 1);
    if (status !== 0 || outputs.length !== shown) throw new Error(`a block fails with status ${status}:\n${stdout}`);
    return outputs;
  } finally {
    project.close();
    rmSync(empty, { recursive: true, force: true });
  }
}

for (const { document, sections, edits } of PARTS) {
  const path = join(root, document);
  const text = readFileSync(path, "utf8");
  const blocks = sections.flatMap((heading) => fencedBlocksOf(sectionOf(text, heading)));
  const consoles = blocks.filter(({ language }) => language === "console");
  const outputs = run(
    blocks.filter(({ language }) => language === "console" || language === "sh"),
    edits,
  );
  let updated = text;
  for (const [index, block] of consoles.entries()) {
    const fence = "```";
    updated = updated.replace(
      `${fence}console\n${block.text}${fence}`,
      () => `${fence}console\n${outputs[index]}${fence}`,
    );
  }
  if (updated === text) continue;
  if (process.argv.includes("--check")) {
    process.stderr.write(`${document} shows outputs that its commands do not have\n  npm run docs\n`);
    process.exitCode = 1;
  } else writeFileSync(path, updated);
}
