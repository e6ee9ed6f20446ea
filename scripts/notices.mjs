// Writes THIRD-PARTY-NOTICES.md, the licences of all packages in the npm package, and EXECUTABLE-NOTICES.md, those of all other
// parts of the executables: `node scripts/notices.mjs`. `--check` only compares.
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundledPackages } from "./build/packages.mjs";
import { readLicence } from "../runtime/build/parts/library.mjs";
import { BUN, listLinuxLibraries } from "../runtime/build/parts/versions.mjs";

const root = join(import.meta.dirname, "..");

const packages = await bundledPackages();
const onlyInPackage = packages.flatMap(({ manifest, isInExecutables }) =>
  isInExecutables ? [] : [`- ${manifest.name}`],
);
const parts = listLinuxLibraries().map(({ library }) =>
  section(`${library.name} ${library.version}`, library.license, readLicence(library)),
);

await put(
  "THIRD-PARTY-NOTICES.md",
  `# Third-party notices

sophia-run holds code of the following packages, each under its own licence. EXECUTABLE-NOTICES.md in the repository and
in the wheels has the other parts of the stand-alone executables.

${await sectionsOf(({ isInPackage }) => isInPackage)}`,
);
await put(
  "EXECUTABLE-NOTICES.md",
  `# Third-party notices of the executables

The stand-alone executables, and the wheels with them, hold the packages of THIRD-PARTY-NOTICES.md, except those that
lay out the help of the npm package:

${sorted(onlyInPackage).join("\n")}

## The executables for Linux

The executables for Linux, and the wheels with them, also hold the following libraries. Their own runtime follows the
behaviour of Node.js (Copyright Node.js contributors, MIT); the licence of Node.js is that of readable-stream, which is
its code.

${await sectionsOf(({ isInPackage }) => !isInPackage)}
${parts.join("\n")}
## The executables for macOS and Windows

The executables for macOS and Windows, and the wheels with them, also hold Bun ${BUN.version} (MIT). Bun links JavaScriptCore
(LGPL-2) and other libraries statically. Its own list of them with their licences, and how to link it again:
<https://github.com/oven-sh/bun/blob/bun-v${BUN.version}/LICENSE.md>
`,
);

async function put(name, text) {
  const file = join(root, name);
  if ((await readFile(file, "utf8").catch(() => undefined)) === text) return;
  if (!process.argv.includes("--check")) return writeFile(file, text);
  process.stderr.write(`${name} is not what node scripts/notices.mjs writes\n`);
  process.exitCode = 1;
}

async function sectionsOf(isWanted) {
  const wanted = packages.filter(isWanted);
  return sorted(await Promise.all(wanted.map(ofPackage))).join("\n");
}

/** Returns each text once, since the same version may be installed in two places. */
function sorted(texts) {
  return [...new Set(texts)].toSorted((a, b) => (a < b ? -1 : 1));
}

async function ofPackage({ folder, manifest: { name, version, license, author } }) {
  const licence = (await readdir(folder)).find((entry) => /^(?:licen[cs]e|copying)(?:\.|-|$)/i.test(entry));
  const holder = typeof author === "string" ? author : author?.name;
  // A package without a licence file names its licence in its manifest.
  const words =
    licence === undefined
      ? `Copyright ${holder ?? `the authors of ${name}`}. Licence: ${license}.`
      : await readFile(join(folder, licence), "utf8");
  return section(`${name} ${version}`, license, words);
}

function section(title, license, words) {
  const lines = words
    .trim()
    .replaceAll("\r\n", "\n")
    .replaceAll(/[ \t]+$/gm, "");
  // A fence longer than any in the text.
  const fence = "`".repeat(Math.max(3, ...Array.from(lines.matchAll(/`+/g), ([run]) => run.length + 1)));
  return `## ${title} (${license})\n\n${fence}text\n${lines}\n${fence}\n`;
}
