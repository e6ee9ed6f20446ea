/**
 * Finds the environment variables that containers get from outside: in a Dockerfile, and in a file of Docker Compose. `init`
 * proposes a contract with these variables, and `check --code` reports those that the contract lacks.
 */
import { findCaptures, findMatches, findReadsByPattern, type VariableRead, type VariableReads } from "./reads.ts";
import { findExpansions } from "./shell-reads.ts";

/** An instruction that sets variables, or that runs when the container starts. The groups are its name and its arguments. */
const INSTRUCTION = /^[ \t]*(ENV|CMD|ENTRYPOINT|HEALTHCHECK)[ \t]+(.*)$/gim;

/** A name in the arguments of ENV: `PORT=80 LEVEL=info`, or in the older form `PORT 80`. */
const ENV_NAME = /(?:^|[ \t])([A-Za-z_]\w*)(?:=|[ \t])/g;

/**
 * Finds the variables that a shell expands when the container starts, and that no ENV sets:
 *
 *     CMD node server.js --port $PORT
 *
 * Other instructions than CMD, ENTRYPOINT and HEALTHCHECK run when the image is built, and know only ARG and ENV.
 */
export function findDockerfileReads(text: string): VariableReads {
  // Comments and escaped line breaks become spaces, so that an instruction is one line and all offsets stay the same.
  const code = text.replaceAll(/^[ \t]*#.*$/gm, blankText).replaceAll(/\\[ \t]*\r?\n(?:[ \t]*\r?\n)*/g, blankText);
  const setByImage = new Set<string>();
  const reads: VariableRead[] = [];
  for (const match of findMatches(code, INSTRUCTION)) {
    const [line, instruction = "", argumentText = ""] = match;
    if (instruction.toUpperCase() === "ENV") {
      for (const name of findCaptures(argumentText, ENV_NAME)) setByImage.add(name);
      continue;
    }
    // The exec form, `["node", "server.js"]`, expands nothing unless it starts a shell: `["sh", "-c", "node $FILE"]`.
    const isExecForm = /^\s*\[/.test(argumentText);
    const startsShell = /"-\w*c"/.test(argumentText);
    if (isExecForm && !startsShell) continue;
    const argumentOffset = match.index + line.length - argumentText.length;
    for (const read of findExpansions(argumentText)) reads.push({ ...read, offset: argumentOffset + read.offset });
  }
  return reads.filter(({ name }) => !setByImage.has(name));
}

function blankText(passage: string): string {
  return " ".repeat(passage.length);
}

/** `$X` and `${X}`, with the operator of `${X:-default}` or `${X:?}`; or `$$`, which is an escaped dollar sign. */
const EXPANSION = /\$(?:\$|\{([A-Za-z_]\w*)(:?[?+-])?|([A-Za-z_]\w*))/g;
/** Under `secrets`, the variable that has the secret: `environment: "DATABASE_PASSWORD"`. */
const SECRET_FROM_VARIABLE = /^[ \t]+environment:[ \t]+["']?([A-Z][A-Z0-9_]*)["']?[ \t]*(?:#.*)?$/gm;

/**
 * Finds `${X}` in any value, the entries of `environment` without a value, and the variable of a secret:
 *
 *     image: app:${TAG:?}
 *     environment:
 *       - DATABASE_URL
 */
export function findComposeReads(text: string): VariableReads {
  const expansions = findMatches(text, EXPANSION).flatMap((match) => {
    const [, nameInBraces, operator = "", plainName] = match;
    const name = nameInBraces ?? plainName;
    const isEscapedDollar = name === undefined;
    return isEscapedDollar ? [] : [{ name, isRequired: operator.endsWith("?"), offset: match.index }];
  });
  return [
    ...expansions,
    ...findReadsByPattern(text, SECRET_FROM_VARIABLE, { isRequired: false }),
    ...findPassedOnVariables(text),
  ];
}

/** The name on a line that has only a name: `- DATABASE_URL`, `DATABASE_URL:`, `"PORT":`, or the key `environment:`. */
const NAME_ALONE = /^[ \t]*(?:- +)?["']?([A-Za-z_]\w{0,254})["']?[ \t]*:?[ \t]*(?:#.*)?\r?$/;

/** Finds the entries of `environment` that have no value: Compose passes on the variables of its caller. */
function findPassedOnVariables(text: string): VariableReads {
  const reads: VariableRead[] = [];
  /** The indent of the key `environment` whose entries are being read; undefined outside of such entries. */
  let environmentIndent: number | undefined;
  let nextLineStart = 0;
  for (const line of text.split("\n")) {
    const lineStart = nextLineStart;
    nextLineStart += line.length + 1;
    const isCommentOrEmpty = /^\s*(?:#|$)/.test(line);
    if (isCommentOrEmpty) continue;
    const indent = /^[ \t]*/.exec(line.slice(0, 200))?.[0].length ?? 0;
    const isListItem = /^[ \t]*-/.test(line);
    const name = NAME_ALONE.exec(line)?.[1];
    const isInEnvironment =
      environmentIndent !== undefined &&
      // YAML allows the items of a list to have the indent of their key.
      (indent > environmentIndent || (indent === environmentIndent && isListItem));
    if (name === "environment" && !isListItem) environmentIndent = indent;
    else if (!isInEnvironment) environmentIndent = undefined;
    else if (name !== undefined) reads.push({ name, isRequired: false, offset: lineStart + indent });
  }
  return reads;
}
