/**
 * A shell command whose output is masked. Claude Code checks the user's rules against the text, so the masking stands in front
 * of the command: around it, a rule that denies the command would not match.
 *
 * The agent reads the output when the shell has ended. Masks that the shell starts by `>(…)` end later: so they hold the
 * writing end of a pipe, and at its end the shell closes its outputs and reads from the pipe until they have ended.
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

/** A process that the command leaves in the background keeps its mask; the shell waits for it no longer than that. */
const LONGEST_SECONDS = 5;

/** The time that a mask gives ESC: less than the shell waits, else the output of the command would be lost. */
const LONGEST_FOR_ESC = "3s";

/** Options that the hook decides; the context has the project. */
const SET_FOR_MASK: ReadonlySet<string> = new Set(["project", "timeout", "quiet", "verbose"]);

/** Run when the shell ends, also with `set -e`: a failure would be the status of the shell. */
const LAST = `exec >&- 2>&-; read -r -t ${LONGEST_SECONDS} -u $sophia_run_end sophia_run_masks || :`;

/** The same for a command that may set a trap for EXIT itself: zsh has further ends, and in bash ours follows its one. */
const besideTraps = (last: string): string =>
  [
    `sophia_run_last() { ${last}; }`,
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
 * For a command that replaces the shell in bash, after which nothing would wait for the masks: the program becomes a child.
 * Subshells are replaced, since their outputs end with them.
 */
const besideExec = (last: string): string =>
  [
    'if [ -n "${BASH_VERSION-}" ]',
    'then function exec { if [ "$BASHPID" != "$$" ] || [ $# = 0 ]',
    'then builtin exec "$@"',
    "else sophia_run_status=0",
    '(builtin exec "$@") || sophia_run_status=$?',
    // A shell that is replaced runs no trap of the command.
    `builtin trap '${last}' EXIT`,
    // The outputs from before a redirection of exec: bash keeps them elsewhere, so that a mask would get no end of its input.
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

/** Returns true if the command replaces the shell. An exec without a program is for redirections, which a function would undo. */
function replacesShell(command: string): boolean {
  const followers = Array.from(command.matchAll(/(?<![\w./-])exec(?![\w.-])\s*(\S*)/g), ([, next = ""]) => next);
  return followers.length > 0 && followers.every((next) => !/^(?:$|[;&|)]|(?:\d*|\{\w+\})[<>])/.test(next));
}

/**
 * Returns the command for bash or zsh on Linux, masked as the hook's options say; undefined elsewhere, where the pipe of
 * `<(…)` has no second end.
 */
export function withMaskedOutput(command: string, options: Values, context: Context): string | undefined {
  if (process.platform !== "linux") return undefined;
  const words = [...ownWords(), "mask", "--quiet", "--timeout", LONGEST_FOR_ESC, ...optionsOfMask(options, context)];
  const mask = words.map(shellWord).join(" ") + (context.projectOption ?? "");
  const hasExec = replacesShell(command);
  const last = hasExec ? `unset -f exec 2>/dev/null || :; ${LAST}` : LAST;
  const statements = [
    "exec {sophia_run_end}< <(:)",
    "exec {sophia_run_masks}> /dev/fd/$sophia_run_end",
    // A mask is no child of the shell: in bash a bare `wait` would wait for it as well, and it for the end of the shell. Its
    // input is named, since the one of a process in the background is else /dev/null.
    `exec > >(${mask} <&0 &) 2> >(${mask} >&2 <&0 &)`,
    "exec {sophia_run_masks}>&-",
    /\btrap\b/.test(command) ? besideTraps(last) : `trap '${last}' EXIT`,
    ...(hasExec ? [besideExec(last)] : []),
  ];
  return `${statements.join("; ")}; ${command}`;
}

/** Returns the hook's options, all of which `mask` takes too, so that it masks the same secrets in another folder. */
function optionsOfMask(options: Values, { cwd }: Context): readonly string[] {
  return namesFor("mask").flatMap((name) => {
    const given = options[name];
    if (SET_FOR_MASK.has(name) || given === undefined || given === false) return [];
    if (given === true) return [`--${name}`];
    const absolute = (value: string): string => {
      if (name === "secrets-dir")
        return value
          .split(":")
          .map((path) => resolve(cwd, path))
          .join(":");
      return name === "dotenv" || name === "contract" ? resolve(cwd, value) : value;
    };
    const values = typeof given === "string" ? [given] : given;
    return values.map((value) => `--${name}=${absolute(value)}`);
  });
}

/** Returns the words that start this program: the shell may not find its name. */
function ownWords(): readonly string[] {
  const own = findNpmPackage();
  if (loader?.caller === undefined && own !== undefined) return [process.execPath, join(own.folder, COMMAND_FILE)];
  // The executable names itself /proc/self/exe, which in a shell is the shell.
  return [attempt(() => realpathSync(process.execPath)) ?? PACKAGE_NAME];
}
