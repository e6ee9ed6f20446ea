/** `npm test`, in a copy of this repository, with one quick test. */
import { execFileSync } from "node:child_process";
import { appendFileSync, cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { npmEnvironment } from "../helpers/pack.ts";
import { notInstalled, skipBecause } from "../helpers/skip.ts";
import { folder, isStandalone } from "../helpers/sophia.ts";
import { type ProcessResult, startProcess } from "../helpers/start-process.ts";

skipBecause((isStandalone ? "no executable takes part" : undefined) ?? notInstalled("git", "--version"));

const root = join(import.meta.dirname, "../..");
const QUICK_TEST = "test/helpers/seed.test.ts";
const COMMAND = /^ {2}npx vitest run --project=slow --project=standalone (.+)$/m;

function createCheckout(): string {
  const path = folder();
  const left = /^.(?:node_modules|\.cache|\.git|dist-[a-z]+)$/;
  cpSync(root, path, { recursive: true, filter: (from) => !left.test(from.slice(root.length)) });
  symlinkSync(join(root, "node_modules"), join(path, "node_modules"));
  // The compiler needs seconds for all of it.
  const settings = readFileSync(join(root, "tsconfig.json"), "utf8");
  writeFileSync(join(path, "tsconfig.json"), settings.replace(/"include": \[[^\]]*\]/, `"include": ["${QUICK_TEST}"]`));
  writeFileSync(join(path, ".gitignore"), "node_modules\n", { flag: "a" });
  const author = ["-c", "user.name=n", "-c", "user.email=e@example.test"];
  for (const args of [
    ["init", "--quiet", "--initial-branch=main"],
    ["add", "."],
    ["commit", "--quiet", "--message=one"],
  ]) {
    execFileSync("git", [...author, ...args], { cwd: path });
  }
  return path;
}

function runNpmTest(path: string, ...args: readonly string[]): Promise<ProcessResult> {
  return startProcess(["npm", "test", "--", QUICK_TEST, ...args], { cwd: path, env: npmEnvironment(folder()) })
    .finished;
}

test(
  "npm test names the slow files that cover a change at its end, and ends as the tests do",
  { timeout: 120_000 },
  async () => {
    const path = createCheckout();
    const unchanged = await runNpmTest(path);
    expect(unchanged.status).toBe(0);
    expect(unchanged.stdout).toContain("everything: npm run test:all");
    expect(unchanged.stdout).not.toMatch(COMMAND);

    appendFileSync(join(path, "src/commands/rotate/new-value.ts"), "\n// A change.\n");
    appendFileSync(join(path, QUICK_TEST), '\ntest("fails", () => expect(1).toBe(2));\n');
    const failed = await runNpmTest(path);
    expect(failed.status).toBe(1);
    // This file has the path of the quick test.
    expect(COMMAND.exec(failed.stdout)?.[1]).toBe("test/commands/rotate/ test/scenarios/npm-test.slow.test.ts");
  },
);

test("the command that npm test prints runs the slow files alone", async () => {
  const env = npmEnvironment(folder());
  const list = startProcess(
    ["npx", "vitest", "list", "--filesOnly", "--project=slow", "--project=standalone", "test/commands/rotate/"],
    {
      cwd: root,
      env,
    },
  );
  const { status, stdout } = await list.finished;
  expect(status).toBe(0);
  const files = stdout
    .trimEnd()
    .split("\n")
    .filter((line) => line.includes(".test.ts"));
  expect(new Set(files.map((line) => /test\/\S+/.exec(line)?.[0]))).toEqual(
    new Set(["test/commands/rotate/rotate.slow.test.ts", "test/commands/rotate/token.slow.test.ts"]),
  );
});
