// `node scripts/parts.mjs`: compares all that is compiled into the executables (runtime/build/parts/versions.mjs) with the newest versions in the
// registries, by their own tools, and with the vulnerabilities that OSV knows. Status 1: a vulnerability that IRRELEVANT_VULNERABILITIES does
// not name. Status 2: a service cannot be reached. OSV_URL is the address of another server of OSV.
import { bundledPackages } from "./build/packages.mjs";
import {
  BUN,
  IRRELEVANT_VULNERABILITIES,
  listLinuxLibraries,
  PACKAGES,
  ZIG,
} from "../runtime/build/parts/versions.mjs";
import { newestOf } from "./parts/newest.mjs";
import { vulnerabilitiesOf } from "./parts/osv.mjs";

const ECOSYSTEMS = { cargo: "crates.io", pypi: "PyPI", npm: "npm" };
const packages = (await bundledPackages()).map(({ manifest: { name }, locked }) => ({
  registry: "npm",
  name,
  version: locked.version,
}));
const pinned = [...Object.values(PACKAGES), ZIG, BUN, packages.find(({ name }) => name === "readable-stream")];
const problems = [];

const [newest, known] = await Promise.all([
  Promise.all(pinned.map((part) => newestOf(part).catch(unreachable))),
  vulnerabilitiesOf(queries()).catch(unreachable),
]);
printVersions();
const concerning = printVulnerabilities(known ?? []);
for (const problem of problems) process.stderr.write(`${problem}\n`);
if (concerning.length > 0) process.exitCode = 1;
else if (problems.length > 0) process.exitCode = 2;

/** Returns packages and the libraries inside of them, as OSV names them. */
function queries() {
  const registries = [...pinned, ...packages].map(({ registry, name, version }) => ({
    ecosystem: ECOSYSTEMS[registry],
    name,
    version,
  }));
  const inside = [BUN, ...listLinuxLibraries().map(({ library }) => library)].flatMap(
    ({ osvPackage }) => osvPackage ?? [],
  );
  const all = [...registries, ...inside];
  // The bundle has readable-stream as well.
  return Array.from(new Map(all.map((query) => [JSON.stringify(query), query])).values());
}

function unreachable(error) {
  problems.push(error.message);
}

function printVersions() {
  const rows = pinned.map(({ name, version }, index) => {
    const inside = listLinuxLibraries()
      .filter(({ sourcePackage }) => sourcePackage.name === name)
      .map(({ library }) => `${library.name} ${library.version}`);
    const found = newest[index] ?? "unknown";
    return [name, version, found === version ? "" : found, inside.join(", ")];
  });
  const table = [["package", "pinned", "newer", "holds"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((cells) => cells[column].length)) + 2);
  for (const cells of table) {
    const line = cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("");
    process.stdout.write(`${line.trimEnd()}\n`);
  }
  const count = pinned.filter(({ version }, index) => newest[index] !== undefined && newest[index] !== version).length;
  // .github/workflows/parts.yml searches for this line.
  process.stdout.write(`\nnewer versions: ${count === 0 ? "none" : count}\n`);
}

/** @returns those that concern the executables */
function printVulnerabilities(found) {
  const reasonFor = ({ names }) =>
    IRRELEVANT_VULNERABILITIES[names.find((name) => Object.hasOwn(IRRELEVANT_VULNERABILITIES, name))];
  if (known !== undefined) process.stdout.write(`known vulnerabilities:${found.length === 0 ? " none" : ""}\n`);
  for (const one of found) {
    const reason = reasonFor(one);
    process.stdout.write(`${one.names[0]}  ${one.part}  ${one.summary}\n`);
    if (reason !== undefined) process.stdout.write(`  does not concern the executables: ${reason}\n`);
  }
  return found.filter((one) => reasonFor(one) === undefined);
}
