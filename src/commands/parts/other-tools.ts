/** THE table of the words and options of other tools, with what is meant here. A start with `--` does not load it. */

/** Meant by verbs that start a program. */
export const START = "sophia-run -- COMMAND starts a program";
const LIST = "sophia-run explain lists the variables";
const READ = "sophia-run get NAME prints one value";
const ENVIRONMENT = "ESC_ENV names the ESC environment, --profile NAME a profile of the contract";

/** Verbs of dotenvx, doppler, infisical, op, varlock, chamber and pulumi env, besides those that are commands here. */
export const OTHER_WORDS: ReadonlyMap<string, string> = new Map([
  ["run", START],
  ["exec", START],
  ["ls", LIST],
  ["list", LIST],
  ["env", "sophia-run export prints the variables"],
  ["load", "sophia-run check shows the configuration, sophia-run -- COMMAND passes it on"],
  ["open", "sophia-run export prints the values of ESC"],
  ["read", READ],
  ["print", READ],
  ["printenv", READ],
  ["inject", "sophia-run -- COMMAND passes the variables on"],
  ["secrets", "sophia-run check shows them masked"],
  ["setup", "sophia-run init writes a contract"],
  ["logout", "sophia-run login --forget uses the login of Pulumi's CLI no more"],
  ["pull", "sophia-run export --output FILE writes a file"],
  ["push", "sophia-run import FILE writes it into ESC"],
  ["upload", "sophia-run import FILE writes it into ESC"],
  ["diff", "sophia-run check --against A,B compares"],
  ["edit", "sophia-run set NAME sets a value in ESC"],
  ["encrypt", "sophia-run set NAME stores a secret in ESC"],
  ["test", "sophia-run check tests the configuration"],
  ["validate", "sophia-run check tests the configuration"],
  ["version", "sophia-run --version prints the version"],
]);

/** By the option as it is typed. */
export const OTHER_OPTIONS: ReadonlyMap<string, string> = new Map([
  ["-e", ENVIRONMENT],
  ["--env", ENVIRONMENT],
  ["--environment", ENVIRONMENT],
  ["-f", "--dotenv FILE reads a .env file, --contract FILE a contract"],
  ["--config", "ESC_ENV names the ESC environment, --contract FILE the contract"],
  ["-c", "the command follows --; a line of a shell: sophia-run -- sh -c 'LINE'"],
  ["--command", "the command follows --, without quotes: sophia-run -- COMMAND"],
  ["--plain", "sophia-run get NAME prints a value alone, without the option"],
  ["--no-masking", "--redact=never leaves secrets in the output of the program"],
  ["--preserve-env", "the environment wins over ESC and files, unless --prefer esc is given"],
  ["--overload", "files never override the environment; with --prefer esc ESC does"],
  ["--file", "sophia-run set NAME < FILE reads a value, --dotenv FILE a .env file"],
  ["--path", "ESC_ENV names the ESC environment, --dotenv FILE a .env file"],
]);
