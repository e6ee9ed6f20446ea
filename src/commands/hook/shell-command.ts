/**
 * Rewrites a shell command of Claude Code so that its output is masked. The text gets statements in front of the command,
 * and is not put into other words, because Claude Code compares the text with the user's rules: a rule that denies the
 * command must still match.
 *
 * The statements redirect stdout and stderr of the shell to two processes `sophia-run mask`, here called masks. Claude Code
 * reads the output as soon as the shell has ended, but the masks would end later. So both masks hold the writing end of a
 * pipe. When the shell ends, a trap closes its outputs and reads from this pipe, which ends as soon as both masks have
 * ended. So `npm test` becomes a command of this form:
 *
 *     exec {sophia_run_end}< <(:); …; exec > >(… mask … &) 2> >(… mask … &); …; trap '…' EXIT; npm test
 */
import { realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Values } from "../../command-line/options.ts";
import { namesFor } from "../../command-line/takers.ts";
import type { Context } from "../../core/context.ts";
import { shellWord } from "../../core/shell.ts";
import { loader } from "../../system/addon/addon.ts";
import { attempt } from "../../system/errors.ts";
import { PACKAGE_NAME, COMMAND_FILE, findNpmPackage } from "../parts/npm-package.ts";

/**
 * How many seconds the shell waits for the masks. A process that the command leaves in the background keeps its mask
 * running.
 */
const MAX_WAIT_S = 5;

/** The time that a mask gives ESC. If it were longer than the shell waits, the output of the command would be lost. */
const ESC_TIMEOUT = "3s";

/** Options of `mask` that the hook decides itself, so that the user's are not passed on. */
const OPTIONS_OF_HOOK: ReadonlySet<string> = new Set(["project", "timeout", "quiet", "verbose"]);

/**
 * The statement that the shell runs when it ends. `|| :` is for `set -e`, with which a failure would be the status of the
 * shell.
 */
const WAIT_FOR_MASKS = `exec >&- 2>&-; read -r -t ${MAX_WAIT_S} -u $sophia_run_end sophia_run_masks || :`;

/**
 * Returns statements that run the last statement in a shell whose command may set a trap for EXIT itself. zsh has a list of
 * functions for the end of the shell. In bash, the word `trap` becomes a function that puts the last statement behind the
 * command's trap.
 */
const createTrapStatements = (lastStatement: string): string =>
  [
    `sophia_run_last() { ${lastStatement}; }`,
    'if [ -n "${ZSH_VERSION-}" ]',
    "then zshexit_functions+=(sophia_run_last)",
    "else builtin trap sophia_run_last EXIT",
    'trap() { builtin trap "$@" || return',
    // Subshells have traps of their own, and their outputs end with them.
    '[ "$BASHPID" = "$$" ] || return 0',
    "sophia_run_trap=$(builtin trap -p EXIT)",
    'case $sophia_run_trap in *sophia_run_last*) ;; *) eval "set -- $sophia_run_trap"',
    `builtin trap -- "\${3-}"$'\\n'sophia_run_last EXIT`,
    "esac; }",
    "fi",
  ].join("; ");

/**
 * Returns statements for a command that replaces the shell by a program (`exec`), after which nothing would wait for the
 * masks. In bash the word `exec` becomes a function that starts the program as a child process. A subshell is still
 * replaced, since the shell itself waits for the masks.
 */
const createExecStatements = (lastStatement: string): string =>
  [
    'if [ -n "${BASH_VERSION-}" ]',
    'then function exec { if [ "$BASHPID" != "$$" ] || [ $# = 0 ]',
    'then builtin exec "$@"',
    "else sophia_run_status=0",
    '(builtin exec "$@") || sophia_run_status=$?',
    // A shell that is replaced would run no trap of the command.
    `builtin trap '${lastStatement}' EXIT`,
    // Descriptors that bash has saved for redirections are closed. Otherwise the input of a mask would not end.
    "unset -f exec",
    "set +f",
    "for sophia_run_fd in /dev/fd/*",
    "do sophia_run_fd=${sophia_run_fd##*/}",
    '[ "$sophia_run_fd" = "$sophia_run_end" ] || exec {sophia_run_fd}>&- || :',
    "done",
    'builtin exit "$sophia_run_status"',
    "fi; }",
    "fi",
  ].join("; ");

/**
 * Returns true if the command replaces the shell by a program. An `exec` without a program, as in `exec > file`, redirects
 * the shell's own outputs, which a function could not do.
 */
function replacesShell(command: string): boolean {
  const wordsAfterExec = Array.from(command.matchAll(/(?<![\w./-])exec(?![\w.-])\s*(\S*)/g), ([, word = ""]) => word);
  const isProgram = (word: string): boolean => !/^(?:$|[;&|)]|(?:\d*|\{\w+\})[<>])/.test(word);
  return wordsAfterExec.length > 0 && wordsAfterExec.every(isProgram);
}

/**
 * Returns the rewritten command, for bash and zsh on Linux. The masks get the hook's options. Returns undefined on other
 * systems, where the statements could not open the writing end of a pipe that `<(…)` made.
 */
export function rewriteShellCommand(command: string, options: Values, context: Context): string | undefined {
  if (process.platform !== "linux") return undefined;
  const words = [
    ...findLauncherCommand(),
    "mask",
    "--quiet",
    "--timeout",
    ESC_TIMEOUT,
    ...createMaskOptions(options, context),
  ];
  const mask = words.map(shellWord).join(" ") + (context.projectOption ?? "");
  const hasExec = replacesShell(command);
  const lastStatement = hasExec ? `unset -f exec 2>/dev/null || :; ${WAIT_FOR_MASKS}` : WAIT_FOR_MASKS;
  const statements = [
    // The descriptor `sophia_run_end` reads from the pipe, and `sophia_run_masks` writes to it.
    "exec {sophia_run_end}< <(:)",
    "exec {sophia_run_masks}> /dev/fd/$sophia_run_end",
    // `&` keeps a mask from being a child of the shell. In bash a `wait` without arguments would otherwise wait for the
    // mask, which waits for the end of the shell. `<&0` is needed, since the input of a process in the background would be
    // /dev/null.
    `exec > >(${mask} <&0 &) 2> >(${mask} >&2 <&0 &)`,
    "exec {sophia_run_masks}>&-",
    /\btrap\b/.test(command) ? createTrapStatements(lastStatement) : `trap '${lastStatement}' EXIT`,
    ...(hasExec ? [createExecStatements(lastStatement)] : []),
  ];
  return `${statements.join("; ")}; ${command}`;
}

/** Returns the hook's options as options of `mask`, with absolute paths, since the command may run in another folder. */
function createMaskOptions(options: Values, { cwd }: Context): readonly string[] {
  return namesFor("mask").flatMap((name) => {
    const option = options[name];
    if (OPTIONS_OF_HOOK.has(name) || option === undefined || option === false) return [];
    if (option === true) return [`--${name}`];
    const values = typeof option === "string" ? [option] : option;
    return values.map((value) => `--${name}=${resolvePathsInOption(name, value, cwd)}`);
  });
}

/** Returns the value of an option. If it is a path, or several paths with colons between them, these become absolute. */
function resolvePathsInOption(optionName: string, value: string, cwd: string): string {
  if (optionName === "secrets-dir") {
    return value
      .split(":")
      .map((path) => resolve(cwd, path))
      .join(":");
  }
  return optionName === "dotenv" || optionName === "contract" ? resolve(cwd, value) : value;
}

/** Returns the words that start this program. They have its path, since the shell may not find its name. */
function findLauncherCommand(): readonly string[] {
  const npmPackage = findNpmPackage();
  if (loader?.caller === undefined && npmPackage !== undefined) {
    return [process.execPath, join(npmPackage.folder, COMMAND_FILE)];
  }
  // The path of the executable may be /proc/self/exe, which in a shell would be the shell itself.
  return [attempt(() => realpathSync(process.execPath)) ?? PACKAGE_NAME];
}
