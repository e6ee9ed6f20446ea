/**
 * `npm run generate`: writes the files that follow from the contract's schema and from the Sophia contract into
 * src/contract/generated/, the header that C shares with TypeScript into native/generated/, and the pattern of the names in the tables
 * of src/trust into src/trust/generated/. `--check` only compares.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { generatedFiles } from "./contract/files.ts";
import { sharedHeader } from "./shared-header.ts";
import { suspectNames } from "./trust/suspect-names.ts";

const root = join(import.meta.dirname, "..");
const check = process.argv.includes("--check");
for (const { path, text } of [...(await generatedFiles(root)), sharedHeader(root), suspectNames(root)]) {
  const current = await readFile(path, "utf8").catch(() => undefined);
  if (current === text) continue;
  const name = relative(root, path);
  if (check) {
    process.stderr.write(`${name} is not what npm run generate writes\n`);
    process.exitCode = 1;
  } else {
    await writeFile(path, text);
    process.stdout.write(`wrote ${name}\n`);
  }
}
