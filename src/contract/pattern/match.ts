/**
 * Matches values against patterns of contracts, by a finite automaton. pattern.ts creates a matcher for each pattern. A
 * backtracking matcher may take exponential time; here the time is linear in the length of the value.
 *
 * The pattern becomes a graph of states (Thompson's construction). A value is matched by following all possible states
 * at once: the set of states that are possible after a character is a node. Each node caches the next node for each
 * character, so that most characters of a value take one step.
 */
import type { CharacterSet, Pattern, Repetition } from "./pattern-syntax.ts";

interface State {
  readonly id: number;
  /** The characters that lead to the next states. Without a set, the next states are entered without a character. */
  readonly set?: CharacterSet;
  readonly nextStates: State[];
}

/** All states that are possible after a beginning of the value. */
interface StateSet {
  /** The states that wait for a character. */
  readonly states: readonly State[];
  /** True if the pattern matches a value that ends here. */
  readonly isEnd: boolean;
  /** A cache of the next nodes, by character. */
  readonly nextStateSets: Map<string, StateSet>;
}

/** The limit of states, and so of memory, for one pattern. A node may have as many. */
const MAX_STATES = 4000;

/**
 * Counts steps, and throws if all matches of a check together have taken too many. The caller of the matcher supplies
 * it.
 */
export type CountSteps = (steps: number) => void;

/** Matches whole values against one pattern. Nodes that one match has created are used by the next ones. */
export class Matcher {
  private readonly pattern: Pattern;
  /** All nodes, by the ids of their states. */
  private readonly stateSetsByKey = new Map<string, StateSet>();
  /** The node before the first character. It is created at the first match, since many patterns are never used. */
  private firstStateSet: StateSet | undefined;

  /** @throws SyntaxError if repetitions make the pattern too large */
  constructor(pattern: Pattern) {
    if (countStates(pattern) > MAX_STATES) throw new SyntaxError("is too large: its repetitions multiply");
    this.pattern = pattern;
  }

  /** Returns true if the pattern matches the whole value. @throws the error that `countSteps` throws */
  matches(value: string, countSteps: CountSteps): boolean {
    let node = (this.firstStateSet ??= this.createFirstStateSet(countSteps));
    let steps = 0;
    for (const character of value) {
      steps += 1;
      let nextNode = node.nextStateSets.get(character);
      if (nextNode === undefined) {
        nextNode = this.createNextStateSet(node, character, countSteps);
        node.nextStateSets.set(character, nextNode);
      }
      node = nextNode;
      const canNeverMatch = node.states.length === 0 && !node.isEnd;
      if (canNeverMatch) break;
    }
    countSteps(steps);
    return node.isEnd;
  }

  private createFirstStateSet(countSteps: CountSteps): StateSet {
    countSteps(countStates(this.pattern));
    const enteredStates = new Set<State>();
    addReachableStates(buildAutomaton(this.pattern), enteredStates);
    return this.findOrCreateStateSet(enteredStates);
  }

  private createNextStateSet({ states }: StateSet, character: string, countSteps: CountSteps): StateSet {
    const enteredStates = new Set<State>();
    for (const { set, nextStates } of states) {
      if (set?.test(character) === true) for (const state of nextStates) addReachableStates(state, enteredStates);
    }
    countSteps(states.length + enteredStates.size);
    return this.findOrCreateStateSet(enteredStates);
  }

  /** Returns the node for a set of states: the same node for the same set. */
  private findOrCreateStateSet(enteredStates: ReadonlySet<State>): StateSet {
    const states = Array.from(enteredStates).filter(({ set }) => set !== undefined);
    const isEnd = Array.from(enteredStates).some(({ id }) => id === END_ID);
    const key = `${String(isEnd)} ${states.map(({ id }) => id).join()}`;
    const existing = this.stateSetsByKey.get(key);
    if (existing !== undefined) return existing;
    const node: StateSet = { states, isEnd, nextStateSets: new Map() };
    this.stateSetsByKey.set(key, node);
    return node;
  }
}

/** Returns the number of states that the pattern needs. */
function countStates(pattern: Pattern): number {
  switch (pattern.kind) {
    case "character":
      return 1;
    case "sequence":
      return pattern.parts.reduce((size, part) => size + countStates(part), 0);
    case "alternatives":
      return pattern.parts.reduce((size, part) => size + countStates(part), pattern.parts.length === 1 ? 0 : 1);
    case "repetition": {
      const { minCount, maxCount } = pattern;
      const partSize = countStates(pattern.part);
      if (maxCount === Infinity) return 1 + partSize * (1 + minCount);
      const optionalCount = maxCount - minCount;
      return partSize === 0 ? 0 : partSize * maxCount + optionalCount;
    }
  }
}

/** The id of the state in which the pattern has matched. */
const END_ID = 0;

/** Builds the automaton of a pattern. @returns its first state */
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
        return createState({ set: part.set, nextStates: [next] });
      case "sequence":
        return part.parts.reduceRight((following, element) => build(element, following), next);
      case "alternatives": {
        const nextStates = part.parts.map((alternative) => build(alternative, next));
        return nextStates.length === 1 ? (nextStates[0] ?? next) : createState({ nextStates });
      }
      case "repetition":
        return buildRepetition(part, next);
    }
  };
  const buildRepetition = ({ part, minCount, maxCount }: Repetition, next: State): State => {
    let state = next;
    if (maxCount === Infinity) {
      // A loop: this state leads to what follows the repetition, and to a copy of the part, which leads back to this
      // state.
      state = createState({ nextStates: [next] });
      state.nextStates.push(build(part, state));
    }
    const copies = maxCount === Infinity ? minCount : maxCount;
    for (let count = copies; count > 0; count--) {
      const copy = build(part, state);
      const matchesOnlyEmpty = copy === state;
      if (matchesOnlyEmpty) break;
      const isOptional = count > minCount;
      state = isOptional ? createState({ nextStates: [copy, next] }) : copy;
    }
    return state;
  };
  return build(pattern, { id: END_ID, nextStates: [] });
}

/** Adds a state to a set, and all states to which it leads without a character. */
function addReachableStates(firstState: State, enteredStates: Set<State>): void {
  const pending = [firstState];
  for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
    if (enteredStates.has(state)) continue;
    enteredStates.add(state);
    if (state.set === undefined) for (const nextState of state.nextStates) pending.push(nextState);
  }
}
