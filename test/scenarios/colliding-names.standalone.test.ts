/** Names that have one place in a table of QuickJS without a key take no longer than others. Each start makes a key of its own. */
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { createCollidingNames, createCollidingNumbers } from "../helpers/colliding-names.ts";
import { notLinux, skipBecause } from "../helpers/skip.ts";
import { folder, isStandalone, sophiaRun } from "../helpers/sophia.ts";
import { executable, noExecutable } from "../helpers/executables.ts";

const COUNT = 20_000;
const names = createCollidingNames(COUNT);
const numbers = createCollidingNumbers(COUNT);

/** As many names of the same length, and numbers of about the same. */
const ordinaryNames = names.map((name, index) => `N${String(index).padStart(name.length - 1, "0")}`);
const ordinaryNumbers = numbers.map((_, index) => String(100_000_000 + 31_337 * index));

const dotenv = (of: readonly string[]): string => of.map((name) => `${name}=1\n`).join("");
const contract = (of: readonly string[]): string =>
  JSON.stringify({ variables: Object.fromEntries(of.map((name) => [name, {}])) });

/** Returns the least processor time of two runs, in seconds. */
function secondsOf(program: readonly string[], cwd: string, words: readonly string[]): number {
  const timed = ["--norc", "-c", 'TIMEFORMAT="%U %S"; time "$@" >/dev/null 2>&1', "bash", ...program, ...words];
  const runs = Array.from({ length: 2 }, () => {
    const { stderr } = spawnSync("bash", timed, {
      cwd,
      env: { PATH: process.env["PATH"] },
      // bash reads its start file if its input is a socket.
      stdio: ["ignore", "ignore", "pipe"],
      encoding: "utf8",
    });
    return stderr.split(" ").reduce((sum, seconds) => sum + Number(seconds), 0);
  });
  return Math.min(...runs);
}

const FORMS = [
  ["program under test", sophiaRun, undefined],
  ["executable", [executable], isStandalone ? "it is the program under test" : noExecutable],
] as const;

const INPUTS = [
  [
    "variables of a .env file",
    dotenv(names),
    dotenv(ordinaryNames),
    ["--no-contract", "--dotenv", "input", "--", "true"],
  ],
  ["declared variables", contract(names), contract(ordinaryNames), ["check", "--contract", "input"]],
  ["numbers in a contract", contract(numbers), contract(ordinaryNumbers), ["check", "--contract", "input"]],
] as const;

describe.each(FORMS)("the %s, with names that collide,", (_, program, why) => {
  skipBecause(notLinux ?? why);

  it.each(INPUTS)(
    "takes at most twice the time of other names to read %s",
    { timeout: 120_000 },
    (_what, input, other, words) => {
      const [colliding, ordinary] = [folder({ input }), folder({ input: other })].map((cwd) =>
        secondsOf(program, cwd, words),
      );
      expect(ordinary).toBeGreaterThan(0);
      expect(colliding).toBeLessThan(2 * (ordinary ?? 0));
    },
  );
});

it("the test's names collide", () => {
  // QuickJS, JS_ATOM_TYPE_STRING.
  const hashes = names.map((name) => {
    let hash = 1;
    for (let index = 0; index < name.length; index++) hash = (hash * 263 + name.charCodeAt(index)) % 2 ** 28;
    return hash;
  });
  expect(new Set(names).size).toBe(COUNT);
  expect(new Set(hashes).size).toBe(1);
});
