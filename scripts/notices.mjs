// Writes THIRD-PARTY-NOTICES.md, the licences of all packages in the bundle: `npm run notices`. `--check` only compares.
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundledPackages } from "./build/packages.mjs";
import { LICENCE } from "./build/quickjs.mjs";

const root = join(import.meta.dirname, "..");
const file = join(root, "THIRD-PARTY-NOTICES.md");

// A set: the same version may be installed in two places.
const sections = new Set(await Promise.all((await bundledPackages()).map(section)));
const text = `# Third-party notices

sophia-run holds code of the following packages, each under its own licence.

${[...sections].toSorted((a, b) => (a < b ? -1 : 1)).join("\n")}
The stand-alone executables for Linux also hold QuickJS (quickjs-ng).

## QuickJS (MIT)

\`\`\`text
${(await readFile(LICENCE, "utf8")).trim().replaceAll(/[ \t]+$/gm, "")}
\`\`\`
`;

const current = await readFile(file, "utf8").catch(() => undefined);
if (current !== text) {
  if (process.argv.includes("--check")) {
    process.stderr.write("THIRD-PARTY-NOTICES.md is not what node scripts/notices.mjs writes\n");
    process.exitCode = 1;
  } else {
    await writeFile(file, text);
  }
}

async function section({ folder, manifest: { name, version, license, author } }) {
  const licence = (await readdir(folder)).find((entry) => /^(?:licen[cs]e|copying)(?:\.|-|$)/i.test(entry));
  const holder = typeof author === "string" ? author : author?.name;
  // A package without a licence file names its licence in its manifest.
  const words =
    licence === undefined
      ? `Copyright ${holder ?? `the authors of ${name}`}. Licence: ${license}.`
      : await readFile(join(folder, licence), "utf8");
  return `## ${name} ${version} (${license})\n\n\`\`\`text\n${words.trim().replaceAll("\r\n", "\n")}\n\`\`\`\n`;
}
