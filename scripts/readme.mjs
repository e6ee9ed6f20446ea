// Puts the text of the examples into README.md, between the markers that name their files:
// `node scripts/readme.mjs` writes, `--check` only compares (status 1 on drift).
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const root = join(import.meta.dirname, "..");
const readme = join(root, "README.md");
const LANGUAGES = {
  "package.json": "json",
  "app.py": "python",
  "job.yml": "yaml",
  Dockerfile: "dockerfile",
  "devcontainer.json": "jsonc",
};

const before = readFileSync(readme, "utf8");
const after = before.replaceAll(/<!-- snippet: (\S+) -->\n[\s\S]*?<!-- \/snippet -->/g, (_, file) => {
  const text = readFileSync(join(root, file), "utf8").trimEnd();
  const fence = `\`\`\`${LANGUAGES[basename(file)] ?? ""}\n${text}\n\`\`\``;
  return `<!-- snippet: ${file} -->\n\n${fence}\n\n<!-- /snippet -->`;
});
if (after !== before && process.argv.includes("--check")) {
  console.error("README.md differs from the examples; npm run docs brings it up to date");
  process.exitCode = 1;
} else if (after !== before) {
  writeFileSync(readme, after);
}
