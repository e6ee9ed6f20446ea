/**
 * Matches values against patterns of contracts, by a finite automaton. pattern.ts creates a matcher for each pattern. A
 * backtracking matcher may take exponential time; here the time is linear in the length of the value.
 *
 * The pattern becomes an automaton: a graph of states (Thompson's construction). A match follows all possible states at
 * once. The states that are possible after a character are a state set. Each state set caches the next state set for
 * each character, so that most characters of a value take one step.
 */
import type { CharacterSet, Pattern, Repetition } from "./pattern-syntax.ts";

interface State {
  readonly id: number;
  /** The characters that lead to the next states. Without this set, the next states are entered without a character. */
  readonly characterSet?: CharacterSet;
  readonly nextStates: State[];
}

/** The id of the state in which the pattern has matched. The other states have higher ids. */
const END_ID = 0;

/** All states that are possible after a beginning of the value. */
interface StateSet {
  /** The states that wait for a character. */
  readonly states: readonly State[];
  /** True if the pattern matches a value that ends here. */
  readonly isMatch: boolean;
  /** A cache of the next state sets, by character. */
  readonly nextStateSets: Map<string, StateSet>;
}

/**
 * The limit of states for one pattern. It does not limit the number of state sets. Creating a state set takes as many
 * steps as it has states, or more, so that `countSteps` limits the memory for these sets.
 */
const MAX_STATES = 4000;

/**
 * Counts steps, and throws if all matches of a check together have taken too many. The caller of the matcher supplies
 * it.
 */
export type CountSteps = (steps: number) => void;

/** Matches whole values against one pattern. State sets that one match has created are used by the later ones. */
export class Matcher {
  private readonly pattern: Pattern;
  /** All state sets, by `isMatch` and the ids of their states. */
  private readonly stateSetsByKey = new Map<string, StateSet>();
  /** The state set before the first character. It is created at the first match, since many patterns are never used. */
  private firstStateSet: StateSet | undefined;

  /** @throws SyntaxError if the pattern needs more than MAX_STATES states */
  constructor(pattern: Pattern) {
    // A pattern in a contract has at most 500 characters, so that only its repetitions can make it this large.
    if (countStates(pattern) > MAX_STATES) throw new SyntaxError("is too large: its repetitions multiply");
    this.pattern = pattern;
  }

  /** Returns true if the pattern matches the whole value. @throws the error that `countSteps` throws */
  matches(value: string, countSteps: CountSteps): boolean {
    let stateSet = (this.firstStateSet ??= this.createFirstStateSet(countSteps));
    let steps = 0;
    for (const character of value) {
      steps += 1;
      let nextStateSet = stateSet.nextStateSets.get(character);
      if (nextStateSet === undefined) {
        nextStateSet = this.createNextStateSet(stateSet, character, countSteps);
        stateSet.nextStateSets.set(character, nextStateSet);
      }
      stateSet = nextStateSet;
      const canNeverMatch = stateSet.states.length === 0 && !stateSet.isMatch;
      if (canNeverMatch) break;
    }
    countSteps(steps);
    return stateSet.isMatch;
  }

  private createFirstStateSet(countSteps: CountSteps): StateSet {
    countSteps(countStates(this.pattern));
    const enteredStates = new Set<State>();
    addReachableStates(buildAutomaton(this.pattern), enteredStates);
    return this.findOrCreateStateSet(enteredStates);
  }

  private createNextStateSet({ states }: StateSet, character: string, countSteps: CountSteps): StateSet {
    const enteredStates = new Set<State>();
    for (const { characterSet, nextStates } of states) {
      if (characterSet?.test(character) === true) {
        for (const state of nextStates) addReachableStates(state, enteredStates);
      }
    }
    countSteps(states.length + enteredStates.size);
    return this.findOrCreateStateSet(enteredStates);
  }

  /** Returns the same object for the same states, so that its cache of next state sets is used again. */
  private findOrCreateStateSet(enteredStates: ReadonlySet<State>): StateSet {
    const states = Array.from(enteredStates).filter(({ characterSet }) => characterSet !== undefined);
    const isMatch = Array.from(enteredStates).some(({ id }) => id === END_ID);
    const key = `${String(isMatch)} ${states.map(({ id }) => id).join()}`;
    const existing = this.stateSetsByKey.get(key);
    if (existing !== undefined) return existing;
    const stateSet: StateSet = { states, isMatch, nextStateSets: new Map() };
    this.stateSetsByKey.set(key, stateSet);
    return stateSet;
  }
}

/**
 * Returns the number of states that {@link buildAutomaton} creates for the pattern, without the end. Both functions must
 * be changed together: this one protects the other from patterns whose repetitions multiply, such as `(a{1000}){1000}`.
 */
function countStates(pattern: Pattern): number {
  switch (pattern.kind) {
    case "character":
      return 1;
    case "sequence":
      return pattern.parts.reduce((count, part) => count + countStates(part), 0);
    case "alternatives":
      // Several alternatives need a state that leads to each of them.
      return pattern.parts.reduce((count, part) => count + countStates(part), pattern.parts.length === 1 ? 0 : 1);
    case "repetition": {
      // The parser guarantees that minCount is finite.
      const { minCount, maxCount } = pattern;
      const partCount = countStates(pattern.part);
      if (maxCount === Infinity) return 1 + partCount * (1 + minCount);
      // A part without states matches only the empty string, and buildAutomaton ignores its repetition.
      if (partCount === 0) return 0;
      const optionalCount = maxCount - minCount;
      return partCount * maxCount + optionalCount;
    }
  }
}

/**
 * Builds the automaton of a pattern. It has as many states as {@link countStates} returns, and the end.
 *
 * @returns its first state
 */
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
        return createState({ characterSet: part.characterSet, nextStates: [next] });
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
    const copyCount = maxCount === Infinity ? minCount : maxCount;
    // The last copy is built first. The optional copies come after the first `minCount` copies, so that they are built
    // before those. A state before each optional copy leads into the copy, or to what follows the repetition.
    for (let count = copyCount; count > 0; count--) {
      const copy = build(part, state);
      const needsNoStates = copy === state;
      // The part matches only the empty string, so that each further copy would also change nothing.
      if (needsNoStates) break;
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
    if (state.characterSet === undefined) {
      for (const nextState of state.nextStates) pending.push(nextState);
    }
  }
}
