import { shellQuoted } from "../../core/shell.ts";
import { isIdentifier, type VariableFormat } from "./format.ts";

/** bash evaluates what is assigned to these as arithmetic, and so runs the command in `x[$(command)]`. */
const EVALUATED: ReadonlySet<string> = new Set(["RANDOM", "SRANDOM", "HISTCMD", "OPTIND", "LINENO"]);

/** bash and zsh refuse, or ignore, assignments to these. */
const READ_ONLY: ReadonlySet<string> = new Set(
  [
    ["UID", "EUID", "GID", "EGID", "PPID", "BASHOPTS", "BASH_VERSINFO", "SHELLOPTS"],
    // Arrays and states of zsh under names that an environment may well have.
    ["path", "cdpath", "fpath", "manpath", "mailpath"],
    ["status", "argv", "options", "signals", "pipestatus", "USERNAME"],
  ].flat(),
);

/**
 * `export NAME='value'` for POSIX shells (XCU 2.2.2: within single quotes every character is itself). A quote is
 * written as `'\''`, which zsh reads alike with RC_QUOTES set.
 */
export const shell: VariableFormat = {
  fault: ({ name }) => {
    if (!isIdentifier(name)) return "no shell variable can have that name";
    if (EVALUATED.has(name)) return "bash evaluates what is assigned to that name";
    return READ_ONLY.has(name) ? "bash or zsh reserves that name" : undefined;
  },
  write: (variables) => variables.map(({ name, value }) => `export ${name}=${shellQuoted(value)}\n`).join(""),
};
