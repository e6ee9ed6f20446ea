/** The variables that shell scripts, and commands in other files, take from the environment. */
import { firstMatches, matchesOf, readsBy, type Reads } from "./reads.ts";

/** Variables of the shell itself. */
const OF_SHELL =
  /^(?:RANDOM|SRANDOM|SECONDS|LINENO|P?PID|E?UID|GROUPS|OPT(?:ARG|IND|ERR)|IFS|PS\d|REPLY|FUNCNAME|PIPESTATUS|DIRSTACK|HOSTTYPE|OSTYPE|MACHTYPE|SHLVL|SHELLOPTS|HISTFILE|COLUMNS|LINES|(?:BASH|ZSH|COMP|EPOCH|READLINE|FUNC)\w*)$/;
const EXPANSION = /\$(?:\{[!#]?([A-Z][A-Z0-9_]*)(:?[-?=+])?|([A-Z][A-Z0-9_]*))/g;
/** `X=…`, also behind `export` and its like, but not `X=${X:-…}`, which reads the variable first. */
const ASSIGNMENT = /(?<![^\s;&|(`])([A-Z][A-Z0-9_]*)(?:\[[^\]\n]{0,100}\])?\+?=(?!"?\$\{?\1\b)/g;
const LOOP = /\bfor\s+([A-Z][A-Z0-9_]*)\s+in\b/g;
const READ = /\b(?:read|mapfile|readarray|printf\s+-v)\b((?:[ \t]+[\w-]+){1,20})/g;
/** `set -u`, also as part of `set -euo pipefail`. */
const NOUNSET = /^[ \t]*set[ \t]+(?:-\w+[ \t]+)*(?:-[a-z]*u|-o[ \t]+nounset\b)/m;
/** Another file that is read into the script, unless it is a `.env`. */
const SOURCED = /(?:^|[;&|{]|\b(?:then|else|do)\b)[ \t]*(?:source|\.)[ \t]+(?!["']?[^\s"']{0,200}\.env\b)[^\s;&|]/m;

/** Finds `$X`, `${X}` and `printenv X` of names in capital letters that the script does not set. Those of `${X:?}` are required. */
export function readsOfShell(text: string): Reads {
  const code = expanded(text);
  const own = new Set([
    ...matchesOf(code, ASSIGNMENT),
    ...matchesOf(code, LOOP),
    ...matchesOf(code, READ).flatMap((words) => words.split(/\s+/)),
  ]);
  const isStrict = NOUNSET.test(code);
  // A file that is read in may set a variable: only of one with `:?` or `:-` it is known that the caller may.
  const isSourcing = SOURCED.test(code);
  return [
    ...readsByExpansions(code, { isStrict, isSourcing }).filter(([name]) => !own.has(name)),
    ...readsBy(code, /\bprintenv[ \t]+([A-Z][A-Z0-9_]*)/g, false),
  ];
}

/** Finds the expansions of a text that a shell runs, with `isStrict` as after `set -u`. */
export function readsByExpansions(text: string, { isStrict = false, isSourcing = false } = {}): Reads {
  return firstMatches(text, EXPANSION).flatMap((match): Reads => {
    const [, braced, operator = "", plain] = match;
    const name = braced ?? plain ?? "";
    const isExplicit = /[?=-]/.test(operator);
    if (OF_SHELL.test(name) || (isSourcing && !isExplicit)) return [];
    return [[name, operator.endsWith("?") || (isStrict && operator === ""), match.index]];
  });
}

const PLAIN = /[^\\'"#<\n]+/y;
const HEREDOC = /<<-?[ \t]*(\\?)(["']?)([A-Za-z_]\w*)\2/y;

/**
 * Returns the script with blanks in place of what the shell does not expand: comments, words in single quotes, escaped
 * characters, and here-documents with a quoted word.
 */
function expanded(text: string): string {
  let code = "";
  let isDouble = false;
  /** Here-documents that begin behind this line. */
  let documents: { readonly word: string; readonly isQuoted: boolean }[] = [];
  const blank = (part: string): string => part.replaceAll(/[^\n]/g, " ");
  for (let at = 0; at < text.length;) {
    const character = text.charAt(at);
    let end = at + 1;
    let isKept = true;
    if (character === "\\") [end, isKept] = [at + 2, false];
    else if (character === '"') isDouble = !isDouble;
    else if (character === "\n" && documents.length > 0) {
      for (const { word, isQuoted } of documents) {
        end = endOfDocument(text, at + 1, word);
        code += isQuoted ? blank(text.slice(at, end)) : text.slice(at, end);
        at = end;
      }
      documents = [];
      continue;
    } else if (!isDouble && character === "'") {
      const close = text.indexOf("'", end);
      [end, isKept] = [close === -1 ? text.length : close + 1, false];
    } else if (!isDouble && character === "#" && /^$|\s/.test(text.charAt(at - 1))) {
      const line = text.indexOf("\n", at);
      [end, isKept] = [line === -1 ? text.length : line, false];
    } else {
      HEREDOC.lastIndex = at;
      const [whole, escape = "", quote = "", word = ""] = (isDouble ? null : HEREDOC.exec(text)) ?? [];
      PLAIN.lastIndex = at;
      if (whole !== undefined) {
        documents.push({ word, isQuoted: escape + quote !== "" });
        end = at + whole.length;
      } else if (PLAIN.test(text)) end = PLAIN.lastIndex;
    }
    const part = text.slice(at, end);
    code += isKept ? part : blank(part);
    at = end;
  }
  return code;
}

/** Returns the end of the line that is the word alone, or of the text. */
function endOfDocument(text: string, start: number, word: string): number {
  for (let line = start; line < text.length;) {
    const found = text.indexOf("\n", line);
    const end = found === -1 ? text.length : found;
    if (text.slice(line, Math.min(end, line + 1000)).trim() === word) return end;
    line = end + 1;
  }
  return text.length;
}
