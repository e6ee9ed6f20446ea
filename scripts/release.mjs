// Makes the files of a release in dist-release/ and checks them: `node scripts/release.mjs`. .github/workflows/release.yml publishes
// them. With `--release` nothing may be missing: the addons for both processors, each executable and wheel, the version's
// section in CHANGELOG.md, and the documents' words for a release. `--write` writes the list of packed files.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { addonFiles } from "./build/addon.mjs";
import { bundleAction } from "./build/bundle.mjs";
import { EXECUTABLES } from "./build/executables.mjs";
import { sbomFaults } from "./release/sbom-faults.mjs";
import { sbom } from "./release/sbom.mjs";

const root = join(import.meta.dirname, "..");
const outdir = join(root, "dist-release");
const LIST = "scripts/release/packed-files.txt";
/** The limits of the package in bytes, packed and unpacked, with both executables: each project downloads and keeps them. */
const [MOST_PACKED, MOST_UNPACKED] = [6_000_000, 12_000_000];
const isRelease = process.argv.includes("--release");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const problems = [];

rmSync(outdir, { recursive: true, force: true });
mkdirSync(outdir);
if (isRelease) run(process.execPath, ["scripts/build.mjs", "--release"]);
compareDocuments();
comparePacked();
const bill = await sbom(manifest, run("git", ["log", "-1", "--format=%cI"]).trim());
problems.push(...sbomFaults(JSON.parse(bill)));
writeFileSync(join(outdir, `sophia-run-${manifest.version}.cdx.json`), bill);
writeFileSync(join(outdir, "NOTES.md"), notes());
copyExecutables();
await compareAction();
writeFileSync(join(outdir, "SHA256SUMS"), checksums());

process.stdout.write(readFileSync(join(outdir, "SHA256SUMS")));
for (const problem of problems) process.stderr.write(`${problem}\n`);
if (problems.length > 0) process.exitCode = 1;

/** Packs the package, compares its size and the names of its files. The bundle's files, named by their content, count as one. */
function comparePacked() {
  const options = ["--json", "--ignore-scripts", "--pack-destination", outdir];
  const [{ files, size, unpackedSize }] = JSON.parse(run("npm", ["pack", ...options]));
  if (size > MOST_PACKED) problems.push(`the package has ${size} bytes, ${MOST_PACKED} are the limit`);
  if (unpackedSize > MOST_UNPACKED)
    problems.push(`it has ${unpackedSize} bytes unpacked, ${MOST_UNPACKED} are the limit`);
  /** @type {string[]} */
  const names = files.map(({ path }) => path.replace(/^dist\/.*\.cjs$/, "dist/*.cjs"));
  // Only a release needs the files for another processor.
  const notBuilt = isRelease
    ? []
    : [...addonFiles(), ...EXECUTABLES].map((name) => `dist/${name}`).filter((name) => !names.includes(name));
  for (const name of notBuilt) process.stdout.write(`not compared (not built here): ${name}\n`);
  names.push(...notBuilt);
  const packed = `${[...new Set(names)].toSorted().join("\n")}\n`;
  if (process.argv.includes("--write")) writeFileSync(join(root, LIST), packed);
  const expected = existsSync(join(root, LIST)) ? readFileSync(join(root, LIST), "utf8").split("\n") : [];
  const lines = packed.split("\n");
  for (const name of lines) if (!expected.includes(name)) problems.push(`packed, and not in ${LIST}: ${name}`);
  for (const name of expected) if (!lines.includes(name)) problems.push(`in ${LIST}, and not packed: ${name}`);
}

/** Compares the documents with the place from which others get sophia-run. A release is such a place. */
function compareDocuments() {
  const { status, stderr } = spawnSync(process.execPath, ["--import", "tsx", "scripts/release/documents.mts"], {
    cwd: root,
    encoding: "utf8",
  });
  if (status !== 0) problems.push(stderr.trim());
  const text = readFileSync(join(root, "src/commands/parts/distribution.ts"), "utf8");
  if (isRelease && /^export const DISTRIBUTION\b.*"checkout";$/m.test(text)) {
    problems.push('DISTRIBUTION is "checkout", which is before a release: set it, then run npm run docs');
  }
}

/**
 * Returns the version's section of the changelog, or that of the next version, and the version of Node.js that built the release,
 * which is needed to build the same bytes.
 */
function notes() {
  const sections = readFileSync(join(root, "CHANGELOG.md"), "utf8").split(/^## /m);
  const heading = isRelease ? manifest.version : "Unreleased";
  const section = sections.find((each) => each.startsWith(heading) && !/^[\w.-]/.test(each.slice(heading.length)));
  if (section === undefined) problems.push(`CHANGELOG.md has no section ${heading}`);
  const text = section?.replace(/^.*\n+/, "").trimEnd() ?? "";
  return `${withAddresses(text)}\n\nBuilt by Node.js ${process.version}.\n`;
}

/** Replaces links to files of the repository by addresses of the version's files, since GitHub shows the notes elsewhere. */
function withAddresses(markdown) {
  const repository = manifest.repository.url.replace(/^git\+|\.git$/g, "");
  return markdown.replaceAll(/\]\((?!https:)(?=[^)])/g, `](${repository}/blob/v${manifest.version}/`);
}

/** Copies the executables and wheels for Linux. Those for other systems were never run there, so that no release has them. */
function copyExecutables() {
  for (const name of EXECUTABLES) copy("dist-standalone", name);
  const wheels = existsSync(join(root, "dist-wheels")) ? readdirSync(join(root, "dist-wheels")) : [];
  const made = wheels.filter(
    (name) => name.startsWith(`sophia_run-${manifest.version}-`) && name.includes("-manylinux_"),
  );
  for (const name of made) copy("dist-wheels", name);
  const count = EXECUTABLES.length;
  if (isRelease && made.length !== count) problems.push(`dist-wheels has ${made.length} of ${count} wheels for Linux`);
}

function copy(folder, name) {
  if (existsSync(join(root, folder, name))) copyFileSync(join(root, folder, name), join(outdir, name));
  else if (isRelease) problems.push(`${folder} has no ${name}`);
}

/** Compares the action's bundle, in a release's commit or built here, with the sources. */
async function compareAction() {
  const { main } = /^ {2}main: (?<main>\S+)$/m.exec(readFileSync(join(root, "action.yml"), "utf8")).groups;
  const code = await bundleAction();
  const committed =
    run("git", ["ls-tree", "--name-only", "HEAD", main]) === "" ? undefined : run("git", ["show", `HEAD:${main}`]);
  const built = existsSync(join(root, main)) ? readFileSync(join(root, main), "utf8") : undefined;
  if (committed !== undefined && committed !== code) problems.push(`${main} of HEAD is not that of the sources`);
  if (built !== undefined && built !== code)
    problems.push(`${main} is not that of the sources: node scripts/action.mjs`);
  if (isRelease && built === undefined) problems.push(`there is no ${main}: node scripts/action.mjs`);
}

/** Returns the lines of sha256sum for the files to download. */
function checksums() {
  const names = readdirSync(outdir).filter((name) => name !== "NOTES.md");
  const sum = (name) => createHash("sha256").update(readFileSync(join(outdir, name)));
  return names
    .toSorted()
    .map((name) => `${sum(name).digest("hex")}  ${name}\n`)
    .join("");
}

function run(file, args) {
  return execFileSync(file, args, { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
}
