/** Matching by a finite automaton; pure. The work is at most the value's length times the automaton's size. */
import type { Pattern, Repetition } from "./syntax.ts";

/** A state of an automaton. */
interface State {
  /** The character that leads on, on its own; where there is none, the states in `to` are entered at once. */
  readonly set?: RegExp;
  readonly to: State[];
}

const MOST_STATES = 4000;

/** The state at which a value that matches ends. */
const END: State = { to: [] };

/**
 * Makes a pattern ready for matching; the result is its first state.
 *
 * @throws SyntaxError where its repetitions make it too large
 */
export function buildAutomaton(pattern: Pattern): State {
  let states = 0;
  const make = (state: State): State => {
    states += 1;
    if (states > MOST_STATES) throw new SyntaxError("is too large: its repetitions multiply");
    return state;
  };
  /** Built from the end: `next` is the state that follows. A part that matches only the empty string is `next` itself. */
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
      // The empty string, however often.
      if (once === state) break;
      state = count > least ? make({ to: [once, next] }) : once;
    }
    return state;
  };
  return build(pattern, END);
}

/** Whether the whole value leads from the first state to the end. */
export function matches(first: State, value: string): boolean {
  let current = new Set<State>();
  enter(first, current);
  for (const character of value) {
    const next = new Set<State>();
    for (const { set, to } of current) {
      if (set?.test(character) === true) for (const state of to) enter(state, next);
    }
    if (next.size === 0) return false;
    current = next;
  }
  return current.has(END);
}

/** Adds a state and all that are reached from it without a character. */
function enter(first: State, states: Set<State>): void {
  const pending = [first];
  for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
    if (states.has(state)) continue;
    states.add(state);
    if (state.set === undefined) pending.push(...state.to);
  }
}
