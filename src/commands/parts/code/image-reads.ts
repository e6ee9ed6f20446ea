/** Finds the environment variables that containers take from their surroundings: in a Dockerfile, and in a file of Compose. */
import { firstMatches, readsByPattern, type VariableRead, type VariableReads } from "./reads.ts";
import { findExpansions } from "./shell-reads.ts";

/**
 * Finds the variables that a shell expands when the container starts, and that no ENV sets:
 *
 *     CMD node server.js --port $PORT
 *
 * Only CMD, ENTRYPOINT and HEALTHCHECK run then. Other instructions run when the image is built, and know only ARG and ENV.
 */
export function findDockerfileReads(text: string): VariableReads {
  // Comments and escaped line breaks become spaces, so that an instruction is one line and all offsets stay the same.
  const code = text.replaceAll(/^[ \t]*#.*$/gm, toSpaces).replaceAll(/\\[ \t]*\r?\n(?:[ \t]*\r?\n)*/g, toSpaces);
  const setByImage = new Set<string>();
  const reads: VariableRead[] = [];
  for (const match of firstMatches(code, /^[ \t]*(ENV|CMD|ENTRYPOINT|HEALTHCHECK)[ \t]+(.*)$/gim)) {
    const [line, instruction = "", argumentText = ""] = match;
    if (instruction.toUpperCase() === "ENV") {
      for (const [, name = ""] of argumentText.matchAll(/(?:^|[ \t])([A-Za-z_]\w*)(?:=|[ \t])/g)) setByImage.add(name);
      continue;
    }
    // The exec form, `["node", "server.js"]`, expands nothing unless it starts a shell: `["sh", "-c", "node $FILE"]`.
    const isExecForm = /^\s*\[/.test(argumentText);
    const startsShell = /"-\w*c"/.test(argumentText);
    if (isExecForm && !startsShell) continue;
    const start = match.index + line.length - argumentText.length;
    for (const [name, required, offset] of findExpansions(argumentText)) reads.push([name, required, start + offset]);
  }
  return reads.filter(([name]) => !setByImage.has(name));
}

function toSpaces(passage: string): string {
  return " ".repeat(passage.length);
}

/**
 * Finds `${X}` in any value, the entries of `environment` without a value, and the variable of a secret:
 *
 *     image: app:${TAG:?}
 *     environment:
 *       - DATABASE_URL
 */
export function findComposeReads(text: string): VariableReads {
  // `$$` is an escaped dollar sign. It is matched here so that what follows it is not read as a variable.
  const expansions = firstMatches(text, /\$(?:\$|\{([A-Za-z_]\w*)(:?[?+-])?|([A-Za-z_]\w*))/g);
  return [
    ...expansions.flatMap((match): VariableReads => {
      const [, nameInBraces, operator = "", plainName] = match;
      const name = nameInBraces ?? plainName;
      return name === undefined ? [] : [[name, operator.endsWith("?"), match.index]];
    }),
    // Under `secrets`, the variable that has the secret: `environment: "DATABASE_PASSWORD"`.
    ...readsByPattern(text, /^[ \t]+environment:[ \t]+["']?([A-Z][A-Z0-9_]*)["']?[ \t]*(?:#.*)?$/gm, false),
    ...findPassedOnVariables(text),
  ];
}

/** Finds the entries of `environment` that have no value: Compose passes on the variables of its caller. */
function findPassedOnVariables(text: string): VariableReads {
  const reads: VariableRead[] = [];
  /** The indent of the last key `environment`, as long as its entries are read; otherwise -1. */
  let environmentIndent = -1;
  let nextLineStart = 0;
  for (const line of text.split("\n")) {
    const lineStart = nextLineStart;
    nextLineStart += line.length + 1;
    if (/^\s*(?:#|$)/.test(line)) continue;
    const indent = /^[ \t]*/.exec(line.slice(0, 200))?.[0].length ?? 0;
    const isListItem = /^[ \t]*-/.test(line);
    const [, name] = /^[ \t]*(?:- +)?["']?([A-Za-z_]\w{0,254})["']?[ \t]*:?[ \t]*(?:#.*)?\r?$/.exec(line) ?? [];
    // YAML allows the items of a list to have the indent of their key.
    const isDeeper = indent > environmentIndent || (indent === environmentIndent && isListItem);
    const isInEnvironment = environmentIndent >= 0 && isDeeper;
    if (name === "environment" && !isListItem) environmentIndent = indent;
    else if (!isInEnvironment) environmentIndent = -1;
    else if (name !== undefined) reads.push([name, false, lineStart + indent]);
  }
  return reads;
}
