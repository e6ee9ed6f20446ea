/** The plan of a change, given what ESC has; pure. */
import type { Current } from "../../esc/api/change.ts";
import { nodeOf } from "../../esc/definition/verify.ts";
import type { Candidate } from "./candidates.ts";

/** Why a variable stays as ESC has it. */
type Obstacle =
  /** It has another value; `--overwrite` replaces it. */
  | "differs"
  /** ESC gives it as a file, which wins over a variable. */
  | "file"
  /** It has a value that can be read only with an approval; `--overwrite` replaces it. */
  | "hidden"
  /** A provider, a rotation or another function gives it. */
  | "function";

export interface PlannedValue extends Candidate {
  readonly state: "added" | "replaced" | "same" | Obstacle;
  /** The same value already, in plain text although it is a secret. */
  readonly isPlain?: boolean;
}

export function planValues(
  candidates: readonly Candidate[],
  current: Current,
  overwrite: boolean,
): readonly PlannedValue[] {
  const variables = new Map(current.opened.variables.map((variable) => [variable.name, variable]));
  return candidates.map((candidate) => {
    const there = variables.get(candidate.name);
    return there?.delivery === "value" && there.value === candidate.value
      ? { ...candidate, state: "same", isPlain: candidate.secret && !there.secret }
      : { ...candidate, state: stateOf(candidate.name, current, overwrite) };
  });
}

/** Returns what becomes of a variable whose new value is another one. */
export function stateOf(
  name: string,
  { opened, definition, hidden }: Current,
  overwrite: boolean,
): "added" | "replaced" | Obstacle {
  const there = opened.variables.find((one) => one.name === name);
  const defined = nodeOf(definition.yaml, name);
  const isHidden = hidden?.has(name) === true;
  if (there === undefined && defined === undefined && !isHidden) return "added";
  if (there?.delivery === "file") return "file";
  if (defined?.kind === "rotated" || defined?.kind === "function") return "function";
  if (overwrite) return "replaced";
  return isHidden ? "hidden" : "differs";
}

export function isChange({ state }: Pick<PlannedValue, "state">): boolean {
  return state === "added" || state === "replaced";
}
