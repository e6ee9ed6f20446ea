/**
 * Matches by a finite automaton; pure. States that are entered together form one node, and each node caches its transitions:
 * most characters of a value take one step. The number of steps is the same in every engine.
 */
import type { CharacterSet, Pattern, Repetition } from "./pattern-syntax.ts";

interface State {
  readonly id: number;
  /** The characters of the transition; without it, the states in `to` are entered at once. */
  readonly set?: CharacterSet;
  readonly to: State[];
}

interface Node {
  readonly states: readonly State[];
  readonly ends: boolean;
  readonly next: Map<string, Node>;
}

const MOST_STATES = 4000;

export type Spend = (steps: number) => void;

/** Returns a matcher of whole values. @throws SyntaxError if repetitions make the pattern too large */
export function makeMatcher(pattern: Pattern): (value: string, spend: Spend) => boolean {
  if (sizeOf(pattern) > MOST_STATES) throw new SyntaxError("is too large: its repetitions multiply");
  const nodes = new Map<string, Node>();
  let start: Node | undefined;
  const nodeOf = (entered: ReadonlySet<State>): Node => {
    const states = Array.from(entered).filter(({ set }) => set !== undefined);
    const ends = Array.from(entered).some(({ id }) => id === END_ID);
    const key = `${String(ends)} ${states.map(({ id }) => id).join()}`;
    const known = nodes.get(key);
    if (known !== undefined) return known;
    const made: Node = { states, ends, next: new Map() };
    nodes.set(key, made);
    return made;
  };
  const begin = (spend: Spend): Node => {
    spend(sizeOf(pattern));
    const entered = new Set<State>();
    enter(buildAutomaton(pattern), entered);
    return nodeOf(entered);
  };
  const step = ({ states }: Node, character: string, spend: Spend): Node => {
    const entered = new Set<State>();
    for (const { set, to } of states) {
      if (set?.test(character) === true) for (const state of to) enter(state, entered);
    }
    spend(states.length + entered.size);
    return nodeOf(entered);
  };
  return (value, spend) => {
    let node = (start ??= begin(spend));
    let steps = 0;
    for (const character of value) {
      steps += 1;
      let next = node.next.get(character);
      if (next === undefined) {
        next = step(node, character, spend);
        node.next.set(character, next);
      }
      node = next;
      if (node.states.length === 0 && !node.ends) break;
    }
    spend(steps);
    return node.ends;
  };
}

function sizeOf(pattern: Pattern): number {
  switch (pattern.kind) {
    case "character":
      return 1;
    case "sequence":
      return pattern.parts.reduce((size, part) => size + sizeOf(part), 0);
    case "alternatives":
      return pattern.parts.reduce((size, part) => size + sizeOf(part), pattern.parts.length === 1 ? 0 : 1);
    case "repetition": {
      const { least, most } = pattern;
      const part = sizeOf(pattern.part);
      if (most === Infinity) return 1 + part * (1 + least);
      return part === 0 ? 0 : part * most + (most - least);
    }
  }
}

const END_ID = 0;

function buildAutomaton(pattern: Pattern): State {
  let id = END_ID;
  const make = (state: Omit<State, "id">): State => ({ id: ++id, ...state });
  /** Builds from the end. @returns `next`, the following state, for a part that matches only the empty string */
  const build = (part: Pattern, next: State): State => {
    switch (part.kind) {
      case "character":
        return make({ set: part.set, to: [next] });
      case "sequence":
        return part.parts.reduceRight((following, one) => build(one, following), next);
      case "alternatives": {
        const to = part.parts.map((one) => build(one, next));
        return to.length === 1 ? (to[0] ?? next) : make({ to });
      }
      case "repetition":
        return repeat(part, next);
    }
  };
  const repeat = ({ part, least, most }: Repetition, next: State): State => {
    let state = next;
    if (most === Infinity) {
      state = make({ to: [next] });
      state.to.push(build(part, state));
    }
    for (let count = most === Infinity ? least : most; count > 0; count--) {
      const once = build(part, state);
      // Repeats only the empty string.
      if (once === state) break;
      state = count > least ? make({ to: [once, next] }) : once;
    }
    return state;
  };
  return build(pattern, { id: END_ID, to: [] });
}

function enter(first: State, states: Set<State>): void {
  const pending = [first];
  for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
    if (states.has(state)) continue;
    states.add(state);
    if (state.set === undefined) for (const next of state.to) pending.push(next);
  }
}
