// Compiles points.c with the library of the executable for this machine, and runs it.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { awsLc } from "../../build/parts/aws-lc.mjs";
import { run } from "../../build/parts/run.mjs";
import { zig } from "../../build/parts/zig.mjs";
import { LINK, ZIG_TARGETS } from "../../build/runtime.mjs";

const root = join(import.meta.dirname, "../../..");
const target = ZIG_TARGETS[process.arch];
const { compiler } = zig(root);
const { archive, include } = await awsLc(root, process.arch, target, compiler);
const folder = mkdtempSync(join(tmpdir(), "sophia-run-points-"));
try {
  const [object, program] = ["points.o", "points"].map((name) => join(folder, name));
  const source = join(import.meta.dirname, "points.c");
  const options = ["-target", target, "-O2", "-DBORINGSSL_IMPLEMENTATION", `-I${include}`, `-I${join(include, "..")}`];
  run(compiler, ["cc", ...options, "-c", "-o", object, source]);
  run(compiler, ["cc", "-target", target, ...LINK, "-o", program, object, archive]);
  const { stdout, status } = spawnSync(program, { encoding: "utf8" });
  process.stdout.write(stdout);
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true });
}
