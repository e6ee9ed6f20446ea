// Puts the text of the examples into README.md, between the markers that name their files:
// `node scripts/readme.mjs` writes, `--check` only compares (status 1 on drift).
import { readFileSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";

const root = join(import.meta.dirname, "..");
const readme = join(root, "README.md");
const languages = { ".json": "json", "": "dockerfile" };
const withComments = "devcontainer.json";

const before = readFileSync(readme, "utf8");
const after = before.replaceAll(
  /<!-- snippet: (\S+) -->\n[\s\S]*?<!-- \/snippet -->/g,
  (_, file) =>
    `<!-- snippet: ${file} -->\n\n\`\`\`${languages[extname(file)] ?? ""}\n${readFileSync(join(root, file), "utf8").trimEnd()}\n\`\`\`\n\n<!-- /snippet -->`,
);
if (after !== before && process.argv.includes("--check")) {
  console.error("README.md differs from the examples; npm run docs brings it up to date");
  process.exitCode = 1;
} else if (after !== before) {
  writeFileSync(readme, after);
}
