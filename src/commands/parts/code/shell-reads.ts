/**
 * Finds where shell scripts, and shell commands in a Dockerfile, read environment variables. `init` proposes a contract with these
 * variables, and `check --code` reports those that the contract lacks.
 *
 * The limits in the patterns, such as `{0,100}`, bound the time that they take on code of any kind.
 */
import { findCaptures, findMatches, findReadsByPattern, type VariableReads } from "./reads.ts";

/** Variables that the shell itself sets. */
const SHELL_VARIABLE =
  /^(?:RANDOM|SRANDOM|SECONDS|LINENO|P?PID|E?UID|GROUPS|OPT(?:ARG|IND|ERR)|IFS|PS\d|REPLY|FUNCNAME|PIPESTATUS|DIRSTACK|HOSTTYPE|OSTYPE|MACHTYPE|SHLVL|SHELLOPTS|HISTFILE|COLUMNS|LINES|(?:BASH|ZSH|COMP|EPOCH|READLINE|FUNC)\w*)$/;
/** `$X` and `${X}`, with the operator of `${X:-default}` or `${X:?}`. */
const EXPANSION = /\$(?:\{[!#]?([A-Z][A-Z0-9_]*)(:?[-?=+])?|([A-Z][A-Z0-9_]*))/g;
/** `X=…`, also after `export` and similar words, but not `X=${X:-…}`, which reads the variable first. */
const ASSIGNMENT = /(?<![^\s;&|(`])([A-Z][A-Z0-9_]*)(?:\[[^\]\n]{0,100}\])?\+?=(?!"?\$\{?\1\b)/g;
/** `for X in …`. */
const LOOP_VARIABLE = /\bfor\s+([A-Z][A-Z0-9_]*)\s+in\b/g;
/** The words after a command that sets variables: `read -r NAME VALUE`. */
const WORDS_OF_READ_COMMAND = /\b(?:read|mapfile|readarray|printf\s+-v)\b((?:[ \t]+[\w-]+){1,20})/g;
/** `set -u`, also as part of `set -euo pipefail`. The script then fails at the first variable that is not set. */
const SET_NOUNSET = /^[ \t]*set[ \t]+(?:-\w+[ \t]+)*(?:-[a-z]*u|-o[ \t]+nounset\b)/m;
/** `source lib.sh` or `. lib.sh`, but not `. .env`. */
const SOURCE_COMMAND =
  /(?:^|[;&|{]|\b(?:then|else|do)\b)[ \t]*(?:source|\.)[ \t]+(?!["']?[^\s"']{0,200}\.env\b)[^\s;&|]/m;
const PRINTENV_COMMAND = /\bprintenv[ \t]+([A-Z][A-Z0-9_]*)/g;

/**
 * Finds the reads of variables that the script does not set, if their names are in upper case:
 *
 *     psql "${DATABASE_URL:?}" --port $PORT
 *
 * Variables with `:?` are required, and after `set -u` those without an operator, too.
 */
export function findShellReads(text: string): VariableReads {
  const code = blankUnexpanded(text);
  const setByScript = new Set([
    ...findCaptures(code, ASSIGNMENT),
    ...findCaptures(code, LOOP_VARIABLE),
    ...findCaptures(code, WORDS_OF_READ_COMMAND).flatMap((words) => words.split(/\s+/)),
  ]);
  const failsIfUnset = SET_NOUNSET.test(code);
  const sourcesFiles = SOURCE_COMMAND.test(code);
  return [
    ...findExpansions(code, { failsIfUnset, sourcesFiles }).filter(({ name }) => !setByScript.has(name)),
    ...findReadsByPattern(code, PRINTENV_COMMAND, { isRequired: false }),
  ];
}

/**
 * Finds the expansions of variables in a text that a shell runs.
 *
 * @param options.failsIfUnset true if the shell fails at variables that are not set
 * @param options.sourcesFiles true if the script reads another file, which may set any variable. Then a variable is only found if
 *   its operator, such as `:?` or `:-`, shows that it may be unset here, and so may come from the environment.
 */
export function findExpansions(text: string, { failsIfUnset = false, sourcesFiles = false } = {}): VariableReads {
  return findMatches(text, EXPANSION).flatMap((match) => {
    const [, nameInBraces, operator = "", plainName] = match;
    const name = nameInBraces ?? plainName ?? "";
    const mayBeUnset = /[?=-]/.test(operator);
    if (SHELL_VARIABLE.test(name) || (sourcesFiles && !mayBeUnset)) return [];
    const isRequired = operator.endsWith("?") || (failsIfUnset && operator === "");
    return [{ name, isRequired, offset: match.index }];
  });
}

/** A run of characters without a special meaning for blankUnexpanded(), which it copies in one step. */
const PLAIN_TEXT = /[^\\'"#<\n]+/y;
/** `<<EOF`, `<<-EOF`, `<<'EOF'`, `<<\EOF`. The groups are the backslash, the quote and the word. */
const HEREDOC_START = /<<-?[ \t]*(\\?)(["']?)([A-Za-z_]\w*)\2/y;

interface Heredoc {
  /** The word that stands alone on the line after the document: `EOF`. */
  readonly word: string;
  /** True if the word is quoted where the document is announced. Then the shell expands nothing in the document. */
  readonly isQuoted: boolean;
}

/** A part of a script that blankUnexpanded() copies or blanks in one step. */
interface ScriptPassage {
  /** The offset after the passage. */
  readonly end: number;
  /** False if the shell expands nothing in the passage. */
  readonly isExpanded: boolean;
  /** The here-document that the passage announces, which begins after the line of the passage. */
  readonly heredoc?: Heredoc;
}

/**
 * Returns the script with spaces in place of what the shell does not expand: comments, text in single quotes, escaped
 * characters, and here-documents whose word is quoted. The result is as long as the script, so that offsets stay the same.
 */
function blankUnexpanded(text: string): string {
  let code = "";
  let isInDoubleQuotes = false;
  /** The here-documents that begin after this line. */
  let announcedHeredocs: Heredoc[] = [];
  for (let position = 0; position < text.length;) {
    const character = text.charAt(position);
    if (character === "\n" && announcedHeredocs.length > 0) {
      for (const { word, isQuoted } of announcedHeredocs) {
        const end = findHeredocEnd(text, position + 1, word);
        const document = text.slice(position, end);
        code += isQuoted ? blankText(document) : document;
        position = end;
      }
      announcedHeredocs = [];
      continue;
    }
    if (character === '"') isInDoubleQuotes = !isInDoubleQuotes;
    const { end, isExpanded, heredoc } = parsePassage(text, position, isInDoubleQuotes);
    if (heredoc !== undefined) announcedHeredocs.push(heredoc);
    const passage = text.slice(position, end);
    code += isExpanded ? passage : blankText(passage);
    position = end;
  }
  return code;
}

/** Returns the passage that begins at a position. */
function parsePassage(text: string, position: number, isInDoubleQuotes: boolean): ScriptPassage {
  const character = text.charAt(position);
  // A backslash and the character that it escapes.
  if (character === "\\") return { end: position + 2, isExpanded: false };
  if (character === '"') return { end: position + 1, isExpanded: true };
  if (!isInDoubleQuotes) {
    if (character === "'") {
      const closing = text.indexOf("'", position + 1);
      return { end: closing === -1 ? text.length : closing + 1, isExpanded: false };
    }
    // A comment begins at the start of a word: `$#` and `a#b` contain none.
    if (character === "#" && /^$|\s/.test(text.charAt(position - 1))) {
      const newline = text.indexOf("\n", position);
      return { end: newline === -1 ? text.length : newline, isExpanded: false };
    }
    HEREDOC_START.lastIndex = position;
    const heredocStart = HEREDOC_START.exec(text);
    if (heredocStart !== null) {
      const [start, escape = "", quote = "", word = ""] = heredocStart;
      return { end: position + start.length, isExpanded: true, heredoc: { word, isQuoted: escape + quote !== "" } };
    }
  }
  PLAIN_TEXT.lastIndex = position;
  return { end: PLAIN_TEXT.test(text) ? PLAIN_TEXT.lastIndex : position + 1, isExpanded: true };
}

/** Returns a text of the same length that keeps the line breaks, since several patterns match lines. */
function blankText(passage: string): string {
  return passage.replaceAll(/[^\n]/g, " ");
}

/** The limit for a line that may consist of the word. */
const MAX_WORD_LENGTH = 1000;

/** Returns the end of the line that contains only the word of a here-document; the end of the text if there is no such line. */
function findHeredocEnd(text: string, start: number, word: string): number {
  for (let lineStart = start; lineStart < text.length;) {
    const newline = text.indexOf("\n", lineStart);
    const lineEnd = newline === -1 ? text.length : newline;
    const line = text.slice(lineStart, Math.min(lineEnd, lineStart + MAX_WORD_LENGTH));
    if (line.trim() === word) return lineEnd;
    lineStart = lineEnd + 1;
  }
  return text.length;
}
