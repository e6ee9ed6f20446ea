import { expect, test } from "vitest";
import { Automaton } from "../../src/masking/automaton.ts";
import { Candidate, WaitingCandidates } from "../../src/masking/candidate.ts";
import { JSON_STRING } from "../../src/masking/encodings/encodings.ts";
import { MAX_CANDIDATES, ROOT } from "../../src/masking/masking-model.ts";

test("the memory and the time for candidates are limited, although none of them covers another one", () => {
  const automaton = new Automaton(["correct-horse"], Uint8Array.of(1));
  const waiting = new WaitingCandidates();
  for (let position = 0; position < MAX_CANDIDATES + 5; position += 1) {
    waiting.add(new Candidate(JSON_STRING, automaton, position, ROOT));
  }
  const positions = waiting.list().map(({ position }) => position);
  expect(positions).toEqual(Array.from({ length: MAX_CANDIDATES }, (_, position) => position));
});
