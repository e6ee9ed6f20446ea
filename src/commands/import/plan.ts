/** What an import changes, given what ESC has; pure. */
import type { Variable } from "../../core/model.ts";
import type { Current } from "../../esc/api/change.ts";
import type { Change } from "../../esc/definition/change.ts";
import { type Defined, nodeOf } from "../../esc/definition/verify.ts";
import type { Candidate } from "./candidates.ts";

/** Why a variable stays as ESC has it. */
export type Obstacle =
  /** It has another value; `--overwrite` replaces it. */
  | "differs"
  /** ESC gives it as a file, which wins over a variable. */
  | "file"
  /** It has a value that nobody may read without an approval; `--overwrite` replaces it. */
  | "hidden"
  /** A provider, a rotation or another function gives it. */
  | "function";

export interface Plan {
  readonly added: readonly Candidate[];
  readonly replaced: readonly Candidate[];
  readonly same: readonly Candidate[];
  readonly kept: readonly { readonly name: string; readonly why: Obstacle }[];
  /** The same value already, in plain text although it is a secret. */
  readonly plain: readonly string[];
}

export function planImport(candidates: readonly Candidate[], current: Current, overwrite: boolean): Plan {
  const variables = new Map(current.opened.variables.map((variable) => [variable.name, variable]));
  const added: Candidate[] = [];
  const replaced: Candidate[] = [];
  const same: Candidate[] = [];
  const kept: { name: string; why: Obstacle }[] = [];
  const plain: string[] = [];
  for (const candidate of candidates) {
    const { name } = candidate;
    const there = variables.get(name);
    if (there?.delivery === "value" && there.value === candidate.value) {
      same.push(candidate);
      if (candidate.secret && !there.secret) plain.push(name);
      continue;
    }
    const why = obstacleTo(name, current, overwrite);
    if (why !== undefined) kept.push({ name, why });
    else if (isThere(name, current)) replaced.push(candidate);
    else added.push(candidate);
  }
  return { added, replaced, same, kept, plain };
}

function isThere(name: string, { opened, definition, hidden }: Current): boolean {
  if (hidden?.has(name) === true || nodeOf(definition.yaml, name) !== undefined) return true;
  return opened.variables.some((one) => one.name === name);
}

/** Returns why a variable keeps its value; undefined if it may be written. */
export function obstacleTo(name: string, current: Current, overwrite: boolean): Obstacle | undefined {
  if (!isThere(name, current)) return undefined;
  const there = current.opened.variables.find((one) => one.name === name);
  return obstacle(there, nodeOf(current.definition.yaml, name), current.hidden?.has(name) === true, overwrite);
}

function obstacle(
  there: Variable | undefined,
  defined: Defined | undefined,
  isHidden: boolean,
  overwrite: boolean,
): Obstacle | undefined {
  if (there?.delivery === "file") return "file";
  if (defined?.kind === "rotated" || defined?.kind === "function") return "function";
  if (overwrite) return undefined;
  return isHidden ? "hidden" : "differs";
}

export function changesOf({ added, replaced }: Plan): readonly Change[] {
  return [...added, ...replaced].map((candidate) => ({ kind: "value", ...candidate }));
}
