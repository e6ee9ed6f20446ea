/**
 * The formats of `sophia-run export --format`. A format refuses a value that a program would read differently, or a shell
 * would run.
 */
import { shellQuoted } from "../../core/shell.ts";
import { dotenvFormat } from "./dotenv.ts";
import { findShellNameFault, type VariableFormat } from "./exported-variables.ts";
import { githubFormat } from "./github-output.ts";

const jsonFormat: VariableFormat = {
  findFault: () => undefined,
  // fromEntries defines properties, so that `__proto__` is a name like any other.
  write: (variables) =>
    `${JSON.stringify(Object.fromEntries(variables.map(({ name, value }) => [name, value])), undefined, 2)}\n`,
};

/** Docker reads only lines that are shorter than this (Go's bufio.MaxScanTokenSize). */
const DOCKER_LINE_LIMIT_BYTES = 64 * 1024;

/** `NAME=value` as `docker run --env-file` reads it (docker/cli, pkg/kvfile): no quoting and no escapes. */
const dockerFormat: VariableFormat = {
  findFault: ({ name, value }) => {
    if (value.includes("\n")) return "docker --env-file cannot hold the line break in its value";
    if (value.endsWith("\r")) return "docker --env-file drops the carriage return at the end of its value";
    const lineBytes = Buffer.byteLength(`${name}=${value}`);
    if (lineBytes >= DOCKER_LINE_LIMIT_BYTES) return "docker --env-file reads no line of 64 KiB or more";
    return findShellNameFault(name);
  },
  write: (variables) => variables.map(({ name, value }) => `${name}=${value}\n`).join(""),
};

/**
 * Variables whose new value bash evaluates as an arithmetic expression. It would run the command in the value
 * `x[$(command)]`.
 */
const NAMES_THAT_BASH_EVALUATES: ReadonlySet<string> = new Set(["RANDOM", "SRANDOM", "HISTCMD", "OPTIND", "LINENO"]);

/**
 * Variables that bash or zsh does not let a script set; zsh then stops reading the script. Those in lower case belong to
 * zsh.
 */
const NAMES_RESERVED_BY_SHELLS: ReadonlySet<string> = new Set(
  [
    ["UID", "EUID", "GID", "EGID", "PPID", "BASHOPTS", "BASH_VERSINFO", "SHELLOPTS", "USERNAME", "_"],
    ["BASHPID", "BASH_ALIASES", "BASH_ARGC", "BASH_ARGV", "BASH_CMDS", "BASH_COMMAND", "BASH_LINENO", "BASH_SOURCE"],
    ["BASH_SUBSHELL", "DIRSTACK", "EPOCHREALTIME", "EPOCHSECONDS", "FUNCNAME", "GROUPS"],
    ["ARGC", "ARGV0", "TTYIDLE", "WATCH", "ZSH_EVAL_CONTEXT", "ZSH_SUBSHELL"],
    ["path", "cdpath", "fpath", "manpath", "mailpath", "status", "argv", "options", "signals", "pipestatus"],
    ["aliases", "builtins", "commands", "dirstack", "fignore", "funcfiletrace", "funcsourcetrace", "funcstack"],
    ["functions", "functions_source", "functrace", "galiases", "history", "historywords", "jobdirs", "jobstates"],
    ["jobtexts", "keymaps", "module_path", "modules", "nameddirs", "parameters", "patchars", "psvar", "reswords"],
    ["saliases", "termcap", "terminfo", "userdirs", "usergroups", "watch", "widgets", "zsh_eval_context"],
  ].flat(),
);

/**
 * `export NAME='value'` for POSIX shells (XCU 2.2.2). A quote becomes `'\''`, which zsh reads in the same way with
 * RC_QUOTES.
 */
const shellFormat: VariableFormat = {
  findFault: ({ name }) => {
    if (NAMES_THAT_BASH_EVALUATES.has(name)) return "bash evaluates assignments to that name";
    return NAMES_RESERVED_BY_SHELLS.has(name) ? "bash or zsh reserves that name" : findShellNameFault(name);
  },
  write: (variables) => variables.map(({ name, value }) => `export ${name}=${shellQuoted(value)}\n`).join(""),
};

/** Variables that fish does not let a script set. */
const NAMES_RESERVED_BY_FISH: ReadonlySet<string> = new Set(
  [
    ["PWD", "SHLVL", "_", "history", "hostname", "pipestatus", "status", "status_generation", "version"],
    ["FISH_VERSION", "fish_kill_signal", "fish_killring", "fish_pid", "umask", "euid"],
  ].flat(),
);

/** Matches the code points that fish uses internally. fish changes some of them in its input (U+F600 and following ones). */
const FISH_INTERNAL_CHARACTER = /[\uF500-\uF8FF]/;

/**
 * `set -gx NAME 'value'` for fish, in which a backslash escapes itself and the quote. fish makes a list of a variable whose
 * name ends in `PATH`, and gives programs its items joined by colons again.
 */
const fishFormat: VariableFormat = {
  findFault: ({ name, value }) => {
    if (NAMES_RESERVED_BY_FISH.has(name)) return "fish reserves that name";
    return FISH_INTERNAL_CHARACTER.test(value)
      ? "its value has a character that fish uses internally"
      : findShellNameFault(name);
  },
  write: (variables) =>
    variables.map(({ name, value }) => `set -gx ${name} '${value.replaceAll(/['\\]/g, String.raw`\$&`)}'\n`).join(""),
};

/** The formats by the name that the user gives to `--format`. */
export const EXPORT_FORMATS: Readonly<Record<string, VariableFormat>> = {
  dotenv: dotenvFormat,
  shell: shellFormat,
  fish: fishFormat,
  json: jsonFormat,
  github: githubFormat,
  docker: dockerFormat,
};
