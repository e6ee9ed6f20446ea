/** The variables that images and their containers take from the environment: of a Dockerfile, and of Compose. */
import { firstMatches, readsBy, type Read, type Reads } from "./reads.ts";
import { readsByExpansions } from "./shell-reads.ts";

/**
 * Finds what a shell expands when the container starts, in CMD, ENTRYPOINT and HEALTHCHECK, and that no ENV sets. Other
 * instructions run when the image is built, and know only ARG and ENV.
 */
export function readsOfDockerfile(text: string): Reads {
  // As long as the text. A comment may stand between the lines of an instruction.
  const code = text.replaceAll(/^[ \t]*#.*$/gm, blank).replaceAll(/\\[ \t]*\r?\n(?:[ \t]*\r?\n)*/g, blank);
  const set = new Set<string>();
  const reads: Read[] = [];
  for (const match of firstMatches(code, /^[ \t]*(ENV|CMD|ENTRYPOINT|HEALTHCHECK)[ \t]+(.*)$/gim)) {
    const [whole, instruction = "", rest = ""] = match;
    if (instruction.toUpperCase() === "ENV") {
      for (const [, name = ""] of rest.matchAll(/(?:^|[ \t])([A-Za-z_]\w*)(?:=|[ \t])/g)) set.add(name);
    } else if (!/^\s*\[/.test(rest) || /"-\w*c"/.test(rest)) {
      const start = match.index + whole.length - rest.length;
      for (const [name, required, at] of readsByExpansions(rest)) reads.push([name, required, start + at]);
    }
  }
  return reads.filter(([name]) => !set.has(name));
}

function blank(part: string): string {
  return " ".repeat(part.length);
}

/** Finds `${X}` in any value, `NAME` without a value under `environment`, and the variable of a secret. `$$` is a dollar sign. */
export function readsOfCompose(text: string): Reads {
  const expansions = firstMatches(text, /\$(?:\$|\{([A-Za-z_]\w*)(:?[?+-])?|([A-Za-z_]\w*))/g);
  return [
    ...expansions.flatMap((match): Reads => {
      const [, braced, operator = "", plain] = match;
      const name = braced ?? plain;
      return name === undefined ? [] : [[name, operator.endsWith("?"), match.index]];
    }),
    ...readsBy(text, /^[ \t]+environment:[ \t]+["']?([A-Z][A-Z0-9_]*)["']?[ \t]*(?:#.*)?$/gm, false),
    ...passedOn(text),
  ];
}

/** Finds the entries of `environment` that have no value: Compose passes on the caller's. */
function passedOn(text: string): Reads {
  const reads: Read[] = [];
  /** The indent of the key `environment` whose entries are read; -1 outside. */
  let within = -1;
  let at = 0;
  for (const line of text.split("\n")) {
    const start = at;
    at += line.length + 1;
    const indent = /^[ \t]*/.exec(line.slice(0, 200))?.[0].length ?? 0;
    if (/^\s*(?:#|$)/.test(line)) continue;
    const [, name] = /^[ \t]*(?:- +)?["']?([A-Za-z_]\w{0,254})["']?[ \t]*:?[ \t]*(?:#.*)?\r?$/.exec(line) ?? [];
    // A list may have the indent of its key.
    const isInside = within >= 0 && (indent > within || (indent === within && /^[ \t]*-/.test(line)));
    if (name === "environment" && !/^[ \t]*-/.test(line)) within = indent;
    else if (!isInside) within = -1;
    else if (name !== undefined) reads.push([name, false, start + indent]);
  }
  return reads;
}
