import { isIdentifier, type VariableFormat } from "./format.ts";

/** Variables that fish does not set. */
const READ_ONLY: ReadonlySet<string> = new Set(
  [
    ["PWD", "SHLVL", "_", "history", "hostname", "pipestatus", "status", "status_generation", "version"],
    ["FISH_VERSION", "fish_kill_signal", "fish_killring", "fish_pid", "umask", "euid"],
  ].flat(),
);

/** Code points that fish uses for itself, and changes in what it reads: U+F600 and following ones. */
const RESERVED = /[\uF500-\uF8FF]/;

/**
 * `set -gx NAME 'value'` for fish, which is no POSIX shell: within single quotes a backslash escapes itself and the quote.
 * A variable whose name ends in PATH becomes a list there, which fish joins with colons for other programs.
 */
export const fish: VariableFormat = {
  fault: ({ name, value }) => {
    if (!isIdentifier(name)) return "no shell variable can have that name";
    if (READ_ONLY.has(name)) return "fish reserves that name";
    return RESERVED.test(value) ? "its value has a character that fish uses for itself" : undefined;
  },
  write: (variables) =>
    variables.map(({ name, value }) => `set -gx ${name} '${value.replaceAll(/['\\]/g, String.raw`\$&`)}'\n`).join(""),
};
