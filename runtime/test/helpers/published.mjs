// Compares all files that the compiler reads for AWS-LC with their packages, and prints the path of each file. The argument is the
// root of a folder like the repository. Without it the files are those of which this machine's executable is made.
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { compileAwsLc } from "../../build/parts/aws-lc.mjs";
import { fetchCrate } from "../../build/parts/crate.mjs";
import { expectPublished, readCrateChecksums, readZigChecksums } from "../../build/parts/published.mjs";
import { PACKAGES } from "../../build/parts/versions.mjs";
import { fetchZig } from "../../build/parts/zig.mjs";
import { ZIG_TARGETS } from "../../build/runtime.mjs";

const repository = join(import.meta.dirname, "../../..");
const { compiler } = fetchZig(repository);
const [, , root = repository] = process.argv;
const { list } = await compileAwsLc(root, process.arch, ZIG_TARGETS[process.arch], compiler);
const files = JSON.parse(readFileSync(list, "utf8"));
const packages = [readCrateChecksums(fetchCrate(root, PACKAGES.awsLc)), readZigChecksums(compiler)];
expectPublished(
  files.map((path) => resolve(dirname(list), path)),
  packages,
);
process.stdout.write(`${files.join("\n")}\n`);
