/**
 * Runs test files for the process that has started it, one run for each message: vitest needs a second to start, and half a second
 * for a further run.
 *
 * usage: node --import tsx scripts/mutations/runner.mts FOLDER, where FOLDER is the TMPDIR of the tests
 */
import { relative } from "node:path";
import { createVitest, type Reporter, type TestModule } from "vitest/node";

/** A message to the runner: test files, relative to the repository, to run until the first test fails. */
export type Request = readonly string[];

/** A message from the runner: `ready` once, and then for each run the test that failed, or that none did. */
export type Answer =
  | { readonly kind: "ready"; readonly files: readonly string[] }
  | { readonly kind: "passed" }
  /** `file` is undefined if an error belongs to no test. */
  | { readonly kind: "failed"; readonly file: string | undefined; readonly name: string };

/** The first failure of the present run. The modules in vitest's own result may have failed in a run before. */
let failure: Extract<Answer, { readonly kind: "failed" }> | undefined;

function recordFailure({ moduleId }: TestModule, name: string): void {
  failure ??= { kind: "failed", file: relative(process.cwd(), moduleId), name };
}

const reporter: Reporter = {
  onTestCaseResult: (test) => {
    if (test.result().state === "failed") recordFailure(test.module, test.fullName);
  },
  onTestModuleEnd: (testModule) => {
    if (testModule.state() === "failed") recordFailure(testModule, "(the file itself)");
  },
};

const vitest = await createVitest("test", { watch: false, bail: 1, reporters: [reporter] });
const specifications = new Map(
  (await vitest.globTestSpecifications()).map((specification) => [
    relative(process.cwd(), specification.moduleId),
    specification,
  ]),
);
// vitest's own folder for temporary files stays where it is while the one of the tests is emptied.
process.env["TMPDIR"] = process.argv[2];

async function run(files: Request): Promise<Answer> {
  const selected = files.flatMap((file) => specifications.get(file) ?? []);
  failure = undefined;
  const { unhandledErrors } = await vitest.runTestSpecifications(selected, false);
  if (failure !== undefined) return failure;
  return unhandledErrors.length === 0 ? { kind: "passed" } : { kind: "failed", file: undefined, name: "(no test)" };
}

function answer(message: Answer): void {
  process.send?.(message);
}

process.on("message", (files: Request) => void run(files).then(answer));
process.once("disconnect", () => process.exit());
answer({ kind: "ready", files: [...specifications.keys()] });
