/**
 * Matches values by a finite automaton; pure. Unlike backtracking, it takes the same small number of steps for each character.
 *
 * The pattern becomes a graph of states (Thompson's construction). A value is matched by following all possible states at once:
 * the set of states that are possible after a character is a node. Each node caches the next node for each character, so most
 * characters of a value take one step. The number of steps is the same in every engine.
 */
import type { CharacterSet, Pattern, Repetition } from "./pattern-syntax.ts";

interface State {
  readonly id: number;
  /** The characters that lead to the states in `to`; without a set, these states are entered at once. */
  readonly set?: CharacterSet;
  readonly to: State[];
}

/** All states that are possible after a beginning of the value. */
interface Node {
  /** The states that wait for a character. */
  readonly states: readonly State[];
  /** The pattern matches if the value ends here. */
  readonly isEnd: boolean;
  /** The following nodes by character, as far as they were needed. */
  readonly next: Map<string, Node>;
}

const MAX_STATES = 4000;

/** Counts steps, and throws if a check has taken too many. */
export type Spend = (steps: number) => void;

/** Returns a matcher of whole values. @throws SyntaxError if repetitions make the pattern too large */
export function createMatcher(pattern: Pattern): (value: string, spend: Spend) => boolean {
  if (sizeOf(pattern) > MAX_STATES) throw new SyntaxError("is too large: its repetitions multiply");
  const nodesByKey = new Map<string, Node>();
  let start: Node | undefined;
  const nodeOf = (entered: ReadonlySet<State>): Node => {
    const states = Array.from(entered).filter(({ set }) => set !== undefined);
    const isEnd = Array.from(entered).some(({ id }) => id === END_ID);
    const key = `${String(isEnd)} ${states.map(({ id }) => id).join()}`;
    const existing = nodesByKey.get(key);
    if (existing !== undefined) return existing;
    const node: Node = { states, isEnd, next: new Map() };
    nodesByKey.set(key, node);
    return node;
  };
  const startNode = (spend: Spend): Node => {
    spend(sizeOf(pattern));
    const entered = new Set<State>();
    enter(buildAutomaton(pattern), entered);
    return nodeOf(entered);
  };
  const nodeAfter = ({ states }: Node, character: string, spend: Spend): Node => {
    const entered = new Set<State>();
    for (const { set, to } of states) {
      if (set?.test(character) === true) for (const state of to) enter(state, entered);
    }
    spend(states.length + entered.size);
    return nodeOf(entered);
  };
  return (value, spend) => {
    let node = (start ??= startNode(spend));
    let steps = 0;
    for (const character of value) {
      steps += 1;
      let next = node.next.get(character);
      if (next === undefined) {
        next = nodeAfter(node, character, spend);
        node.next.set(character, next);
      }
      node = next;
      const canNeverMatch = node.states.length === 0 && !node.isEnd;
      if (canNeverMatch) break;
    }
    spend(steps);
    return node.isEnd;
  };
}

/** Returns the number of states that the pattern needs. */
function sizeOf(pattern: Pattern): number {
  switch (pattern.kind) {
    case "character":
      return 1;
    case "sequence":
      return pattern.parts.reduce((size, part) => size + sizeOf(part), 0);
    case "alternatives":
      return pattern.parts.reduce((size, part) => size + sizeOf(part), pattern.parts.length === 1 ? 0 : 1);
    case "repetition": {
      const { minCount, maxCount } = pattern;
      const partSize = sizeOf(pattern.part);
      if (maxCount === Infinity) return 1 + partSize * (1 + minCount);
      const optionalCount = maxCount - minCount;
      return partSize === 0 ? 0 : partSize * maxCount + optionalCount;
    }
  }
}

const END_ID = 0;

/** Returns the first state of the automaton. */
function buildAutomaton(pattern: Pattern): State {
  let lastId = END_ID;
  const createState = (state: Omit<State, "id">): State => ({ id: ++lastId, ...state });
  /**
   * Builds the states of a part, from its end to its beginning.
   *
   * @param next the state that follows the part
   * @returns the first state; `next` itself for a part that matches only the empty string
   */
  const build = (part: Pattern, next: State): State => {
    switch (part.kind) {
      case "character":
        return createState({ set: part.set, to: [next] });
      case "sequence":
        return part.parts.reduceRight((following, each) => build(each, following), next);
      case "alternatives": {
        const to = part.parts.map((each) => build(each, next));
        return to.length === 1 ? (to[0] ?? next) : createState({ to });
      }
      case "repetition":
        return buildRepetition(part, next);
    }
  };
  const buildRepetition = ({ part, minCount, maxCount }: Repetition, next: State): State => {
    let state = next;
    if (maxCount === Infinity) {
      // A loop: this state leads behind the repetition, and to a copy of the part that leads back.
      state = createState({ to: [next] });
      state.to.push(build(part, state));
    }
    const copies = maxCount === Infinity ? minCount : maxCount;
    for (let count = copies; count > 0; count--) {
      const copy = build(part, state);
      const matchesOnlyEmpty = copy === state;
      if (matchesOnlyEmpty) break;
      const isOptional = count > minCount;
      state = isOptional ? createState({ to: [copy, next] }) : copy;
    }
    return state;
  };
  return build(pattern, { id: END_ID, to: [] });
}

/** Adds a state to a set, with all states that it leads to without a character. */
function enter(first: State, states: Set<State>): void {
  const pending = [first];
  for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
    if (states.has(state)) continue;
    states.add(state);
    if (state.set === undefined) for (const next of state.to) pending.push(next);
  }
}
