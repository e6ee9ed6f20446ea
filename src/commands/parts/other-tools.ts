/**
 * Hints for users of similar tools: a user who types `sophia-run run` or `--env` learns what sophia-run has instead. New entries
 * belong in these tables. `sophia-run -- COMMAND` does not load this file.
 */

/** The hint for commands of other tools that start a program. `command-line-errors.ts` compares hints with this text. */
export const START_HINT = "sophia-run -- COMMAND starts a program";
const LIST_HINT = "sophia-run explain lists the variables";
const READ_HINT = "sophia-run get NAME prints one value";
const ENVIRONMENT_HINT = "ESC_ENV names the ESC environment, --profile NAME a profile of the contract";

/** The hints for commands of dotenvx, doppler, infisical, op, varlock, chamber and pulumi env that sophia-run does not have. */
export const OTHER_TOOL_COMMANDS: ReadonlyMap<string, string> = new Map([
  ["run", START_HINT],
  ["exec", START_HINT],
  ["ls", LIST_HINT],
  ["list", LIST_HINT],
  ["env", "sophia-run export prints the variables"],
  ["load", "sophia-run check shows the configuration, sophia-run -- COMMAND passes it on"],
  ["open", "sophia-run export prints the values of ESC"],
  ["read", READ_HINT],
  ["print", READ_HINT],
  ["printenv", READ_HINT],
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

/** The hints for options of these tools. */
export const OTHER_TOOL_OPTIONS: ReadonlyMap<string, string> = new Map([
  ["-e", ENVIRONMENT_HINT],
  ["--env", ENVIRONMENT_HINT],
  ["--environment", ENVIRONMENT_HINT],
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
