// Compares all files that the compiler reads for AWS-LC with their packages, and prints the path of each file. The argument is the
// root of a folder like the repository. Without it the files are those of which this machine's executable is made.
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { awsLc } from "../../build/parts/aws-lc.mjs";
import { crateSources } from "../../build/parts/crate.mjs";
import { expectPublished, publishedCompiler, publishedCrate } from "../../build/parts/published.mjs";
import { VERSIONS } from "../../build/parts/versions.mjs";
import { zig } from "../../build/parts/zig.mjs";
import { ZIG_TARGETS } from "../../build/runtime.mjs";

const repository = join(import.meta.dirname, "../../..");
const { compiler } = zig(repository);
const [, , root = repository] = process.argv;
const { list } = await awsLc(root, process.arch, ZIG_TARGETS[process.arch], compiler);
const files = JSON.parse(readFileSync(list, "utf8"));
const packages = [publishedCrate(crateSources(root, VERSIONS.awsLc)), publishedCompiler(compiler)];
expectPublished(
  files.map((path) => resolve(dirname(list), path)),
  packages,
);
process.stdout.write(`${files.join("\n")}\n`);
