// Changes inputs of the corpus that a user or a repository has a say in: command lines, `.env` files, contracts, code, and output that
// is masked. Whatever they are, all executables must say and do the same.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { chooseInput, readCorpus } from "./corpus.cjs";
import { compare, repeat, run, describeValue } from "./executables.mjs";
import { random } from "./random.cjs";

const CORPUS = join(import.meta.dirname, "corpus");
/** The value of SERVICE_TOKEN in all files of the corpus. */
const TOKEN = "s3cr3t-v4lue-0a1b2c3d";
const CODE = readdirSync(join(CORPUS, "code")).map((name) => [name, readInput(`code/${name}`)]);
const [DOTENVS, CONTRACTS, OUTPUTS, COMMAND_LINES] = ["dotenv", "contracts", "masking", "command-line"].map((name) =>
  readCorpus(join(CORPUS, name)),
);
const DOTENV = readInput("dotenv/all-forms.env");
const CONTRACT = readInput("contracts/variables.json");
/** Variables of the process environment are masked if the contract declares them. */
const DECLARATION = readInput("contracts/smallest.json");
/** Prints a file in pieces of $1 bytes, so that a secret is in several. */
const PRINT = ["sh", "-c", 'exec /usr/bin/dd if=output bs="$1" status=none', "sh"];
const PIECE_BYTES = [1, 7, 64, 4096];

/** Returns what a run gives to each program, by the run's number and its random numbers: arguments, files and variables. */
const INPUTS = {
  "command-line": (number, next) => ({
    // NUL cannot be in an argument. Without slashes, `docs` and `completion` write into the run's folder, where nothing else is.
    args: chooseInput(COMMAND_LINES, number, next).toString("latin1").replaceAll(/[\0/]/g, "?").split("\n"),
    files: { ".env": DOTENV, "sophia.contract.json": CONTRACT },
  }),
  dotenv: (number, next) => ({
    args: [["-q", "--", "env", "-0"], ["explain"], ["export", "--format", "json"], ["check"]][next(4)],
    files: { ".env": chooseInput(DOTENVS, number, next, 8), "sophia.contract.json": CONTRACT },
  }),
  contracts: (number, next) => ({
    args: [["--", "true"], ["explain"], ["check", "--json"], ["docs"]][next(4)],
    // One change, because most changes make the contract invalid.
    files: { ".env": DOTENV, "sophia.contract.json": chooseInput(CONTRACTS, number, next, 1) },
  }),
  code: (number, next) => ({
    args: ["init"],
    files: Object.fromEntries(CODE.map(([name, code]) => [name, chooseInput([code], number, next, 6)])),
  }),
  masking: (number, next) => ({
    args: ["-q", "--redact", "--", ...PRINT, String(PIECE_BYTES[next(PIECE_BYTES.length)])],
    files: { output: chooseInput(OUTPUTS, number, next, 6), "sophia.contract.json": DECLARATION },
    env: { SERVICE_TOKEN: TOKEN },
  }),
};

/**
 * @param programs the paths of executables by their names; all are compared with the first
 * @returns for each case a function that makes a batch of runs, and throws if a program crashed, if two differed, or if a secret
 *   was not masked
 */
export function inputCases(programs) {
  const cases = Object.entries(INPUTS).map(([name, inputOf]) => [
    name,
    ({ seed, ...batch }) =>
      repeat(batch, async (number, cwd) => {
        const { args, files, env = {} } = inputOf(number, random(seed + number));
        const given = { number, args, files };
        const result = await compare(programs, given, (program) => run(program, args, cwd, files, env));
        if (name === "masking" && (result.status !== 0 || result.output.includes(TOKEN))) {
          throw new Error(`a secret was not masked: ${describeValue(result)}\n${describeValue(given)}`);
        }
        return result;
      }),
  ]);
  return Object.fromEntries(cases);
}

function readInput(path) {
  return readFileSync(join(CORPUS, path));
}
