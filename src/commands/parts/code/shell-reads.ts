/** Finds the environment variables that shell scripts, and commands in other files, take from the environment. */
import { firstGroups, firstMatches, readsByPattern, type VariableReads } from "./reads.ts";

/** Variables that the shell itself sets. */
const SHELL_VARIABLE =
  /^(?:RANDOM|SRANDOM|SECONDS|LINENO|P?PID|E?UID|GROUPS|OPT(?:ARG|IND|ERR)|IFS|PS\d|REPLY|FUNCNAME|PIPESTATUS|DIRSTACK|HOSTTYPE|OSTYPE|MACHTYPE|SHLVL|SHELLOPTS|HISTFILE|COLUMNS|LINES|(?:BASH|ZSH|COMP|EPOCH|READLINE|FUNC)\w*)$/;
/** `$X` and `${X}`, with the operator of `${X:-default}` or `${X:?}`. */
const EXPANSION = /\$(?:\{[!#]?([A-Z][A-Z0-9_]*)(:?[-?=+])?|([A-Z][A-Z0-9_]*))/g;
/** `X=…`, also after `export` and similar words, but not `X=${X:-…}`, which reads the variable first. */
const ASSIGNMENT = /(?<![^\s;&|(`])([A-Z][A-Z0-9_]*)(?:\[[^\]\n]{0,100}\])?\+?=(?!"?\$\{?\1\b)/g;
const LOOP_VARIABLE = /\bfor\s+([A-Z][A-Z0-9_]*)\s+in\b/g;
/** The words after a command that sets variables: `read -r NAME VALUE`. */
const READ_COMMAND = /\b(?:read|mapfile|readarray|printf\s+-v)\b((?:[ \t]+[\w-]+){1,20})/g;
/** `set -u`, also as part of `set -euo pipefail`. The script then fails at the first variable that is not set. */
const SET_NOUNSET = /^[ \t]*set[ \t]+(?:-\w+[ \t]+)*(?:-[a-z]*u|-o[ \t]+nounset\b)/m;
/** `source lib.sh` or `. lib.sh`, but not `. .env`. */
const SOURCE_COMMAND =
  /(?:^|[;&|{]|\b(?:then|else|do)\b)[ \t]*(?:source|\.)[ \t]+(?!["']?[^\s"']{0,200}\.env\b)[^\s;&|]/m;

/**
 * Finds the reads of variables that the script does not set, if their names are in upper case:
 *
 *     psql "${DATABASE_URL:?}" --port $PORT
 *
 * Required are those with `:?`, and after `set -u` those without an operator.
 */
export function findShellReads(text: string): VariableReads {
  const code = blankUnexpanded(text);
  const setByScript = new Set([
    ...firstGroups(code, ASSIGNMENT),
    ...firstGroups(code, LOOP_VARIABLE),
    ...firstGroups(code, READ_COMMAND).flatMap((words) => words.split(/\s+/)),
  ]);
  const isStrict = SET_NOUNSET.test(code);
  const isSourcing = SOURCE_COMMAND.test(code);
  return [
    ...findExpansions(code, { isStrict, isSourcing }).filter(([name]) => !setByScript.has(name)),
    ...readsByPattern(code, /\bprintenv[ \t]+([A-Z][A-Z0-9_]*)/g, false),
  ];
}

/**
 * Finds the expansions in a text that a shell runs.
 *
 * @param isStrict the shell fails at variables that are not set
 * @param isSourcing the script reads another file, which may set any variable. Then only an operator such as `:?` or `:-` shows
 *   that the caller may set the variable.
 */
export function findExpansions(text: string, { isStrict = false, isSourcing = false } = {}): VariableReads {
  return firstMatches(text, EXPANSION).flatMap((match): VariableReads => {
    const [, nameInBraces, operator = "", plainName] = match;
    const name = nameInBraces ?? plainName ?? "";
    const expectsUnset = /[?=-]/.test(operator);
    if (SHELL_VARIABLE.test(name) || (isSourcing && !expectsUnset)) return [];
    const isRequired = operator.endsWith("?") || (isStrict && operator === "");
    return [[name, isRequired, match.index]];
  });
}

/** Characters without a meaning for blankUnexpanded(), which it copies in one step. */
const PLAIN_TEXT = /[^\\'"#<\n]+/y;
/** `<<EOF`, `<<-EOF`, `<<'EOF'`, `<<\EOF`. */
const HEREDOC_START = /<<-?[ \t]*(\\?)(["']?)([A-Za-z_]\w*)\2/y;

interface Heredoc {
  /** The word that is alone on the last line. */
  readonly word: string;
  /** The word was quoted, so that the shell expands nothing in the document. */
  readonly isQuoted: boolean;
}

/** A part of a script that blankUnexpanded() copies or blanks in one step. */
interface ScriptPassage {
  readonly end: number;
  readonly isExpanded: boolean;
  /** The here-document that the passage announces. */
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
  let heredocs: Heredoc[] = [];
  for (let position = 0; position < text.length;) {
    const character = text.charAt(position);
    if (character === "\n" && heredocs.length > 0) {
      for (const { word, isQuoted } of heredocs) {
        const end = endOfHeredoc(text, position + 1, word);
        const document = text.slice(position, end);
        code += isQuoted ? toSpaces(document) : document;
        position = end;
      }
      heredocs = [];
      continue;
    }
    if (character === '"') isInDoubleQuotes = !isInDoubleQuotes;
    const { end, isExpanded, heredoc } = passageAt(text, position, isInDoubleQuotes);
    if (heredoc !== undefined) heredocs.push(heredoc);
    const passage = text.slice(position, end);
    code += isExpanded ? passage : toSpaces(passage);
    position = end;
  }
  return code;
}

function passageAt(text: string, position: number, isInDoubleQuotes: boolean): ScriptPassage {
  const character = text.charAt(position);
  if (character === "\\") return { end: position + 2, isExpanded: false };
  if (character === '"') return { end: position + 1, isExpanded: true };
  if (!isInDoubleQuotes) {
    if (character === "'") {
      const closing = text.indexOf("'", position + 1);
      return { end: closing === -1 ? text.length : closing + 1, isExpanded: false };
    }
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

/** Keeps line breaks, since several patterns match lines. */
function toSpaces(passage: string): string {
  return passage.replaceAll(/[^\n]/g, " ");
}

/** Returns the end of the line that contains only the word, or the end of the text. */
function endOfHeredoc(text: string, start: number, word: string): number {
  for (let lineStart = start; lineStart < text.length;) {
    const newline = text.indexOf("\n", lineStart);
    const lineEnd = newline === -1 ? text.length : newline;
    const line = text.slice(lineStart, Math.min(lineEnd, lineStart + 1000));
    if (line.trim() === word) return lineEnd;
    lineStart = lineEnd + 1;
  }
  return text.length;
}
