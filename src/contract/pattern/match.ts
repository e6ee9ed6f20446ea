/** Matching by a finite automaton; pure. The work is at most the value's length times the pattern's size. */
import { PatternError, type CharacterSet, type Pattern } from "./syntax.ts";

/** One step of an automaton: eat a character, or go on to one or two other steps without eating. */
type Step =
  | { readonly kind: "eat"; readonly set: CharacterSet }
  | { readonly kind: "fork"; readonly targets: number[] }
  | { readonly kind: "done" };

/** A pattern made ready. After an `eat` the next step follows; step 0 is the first. */
export type Automaton = readonly Step[];

const mostSteps = 4000;

/**
 * Makes a pattern ready for matching.
 *
 * @throws PatternError where its repetitions make it too large
 */
export function buildAutomaton(pattern: Pattern): Automaton {
  const steps: Step[] = [];
  build(pattern, steps);
  push({ kind: "done" }, steps);
  return steps;
}

function push(step: Step, steps: Step[]): void {
  if (steps.length >= mostSteps) throw new PatternError("is too large: its repetitions multiply");
  steps.push(step);
}

function fork(steps: Step[], ...targets: number[]): number[] {
  push({ kind: "fork", targets }, steps);
  return targets;
}

function build(pattern: Pattern, steps: Step[]): void {
  switch (pattern.kind) {
    case "characters":
      push({ kind: "eat", set: pattern.set }, steps);
      break;
    case "sequence":
      for (const part of pattern.parts) build(part, steps);
      break;
    case "alternatives": {
      const starts = fork(steps);
      const ends: number[][] = [];
      for (const part of pattern.parts) {
        starts.push(steps.length);
        build(part, steps);
        ends.push(fork(steps));
      }
      for (const targets of ends) targets.push(steps.length);
      break;
    }
    case "repetition":
      buildRepetition(pattern, steps);
      break;
    default:
      pattern satisfies never;
  }
}

function buildRepetition({ part, least, most }: Extract<Pattern, { kind: "repetition" }>, steps: Step[]): void {
  for (let count = 0; count < least; count++) build(part, steps);
  if (most === Infinity) {
    const loop = steps.length;
    const exits = fork(steps, loop + 1);
    build(part, steps);
    fork(steps, loop);
    exits.push(steps.length);
    return;
  }
  const skips: number[][] = [];
  for (let count = least; count < most; count++) {
    skips.push(fork(steps, steps.length + 1));
    build(part, steps);
  }
  for (const targets of skips) targets.push(steps.length);
}

/** Whether the pattern matches the whole value. */
export function matches(automaton: Automaton, value: string): boolean {
  let current = new Set<number>();
  enter(automaton, 0, current);
  for (const character of value) {
    if (current.size === 0) return false;
    const code = character.codePointAt(0) ?? 0;
    const next = new Set<number>();
    for (const index of current) {
      const step = automaton[index];
      if (step?.kind === "eat" && includes(step.set, code)) enter(automaton, index + 1, next);
    }
    current = next;
  }
  return current.has(automaton.length - 1);
}

/** Adds a step and all that are reached from it without eating. */
function enter(automaton: Automaton, start: number, states: Set<number>): void {
  const pending = [start];
  for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
    if (states.has(index)) continue;
    states.add(index);
    const step = automaton[index];
    if (step?.kind === "fork") pending.push(...step.targets);
  }
}

/** Whether a set holds a code point. */
export function includes({ ranges, negated }: CharacterSet, code: number): boolean {
  return ranges.some(([from, to]) => from <= code && code <= to) !== negated;
}
