import { expect, test } from "vitest";
import { GuessCounter } from "../../src/broker/guesses.ts";

const PEER = "10.0.0.2";

/** Notes `count` guesses, one every `every` ms. Returns how often the user would be told. */
function noteGuesses(guesses: GuessCounter, count: number, { from = 0, every = 1, address = PEER } = {}): number {
  return Array.from({ length: count }, (_, index) => guesses.countGuess(address, from + index * every)).filter(Boolean)
    .length;
}

test("an address that guesses 100 times within a minute is refused for a minute", () => {
  const guesses = new GuessCounter();
  expect(noteGuesses(guesses, 99)).toBe(0);
  expect(guesses.isRefused(PEER, 99)).toBe(false);
  expect(guesses.countGuess(PEER, 99)).toBe(true);
  expect([100, 60_098, 60_099].map((now) => guesses.isRefused(PEER, now))).toEqual([true, true, false]);
  expect(guesses.isRefused("10.0.0.3", 100)).toBe(false);
  // After that minute the count begins again.
  expect(noteGuesses(guesses, 99, { from: 60_100 })).toBe(0);
  expect(guesses.isRefused(PEER, 60_200)).toBe(false);
});

test("guesses that are older than a minute are not counted", () => {
  const guesses = new GuessCounter();
  expect(noteGuesses(guesses, 300, { every: 610 })).toBe(0);
  expect(guesses.isRefused(PEER, 300 * 610)).toBe(false);
});

test("the user is told of one address in a minute, and all guessing addresses are refused", () => {
  const guesses = new GuessCounter();
  const addresses = ["10.0.0.2", "10.0.0.3", "fd00::2"];
  expect(addresses.map((address) => noteGuesses(guesses, 100, { address }))).toEqual([1, 0, 0]);
  expect(addresses.map((address) => guesses.isRefused(address, 200))).toEqual([true, true, true]);
  expect(noteGuesses(guesses, 100, { from: 61_000 })).toBe(1);
});

test("if more than 1000 addresses guess, the address that guessed longest ago is forgotten", () => {
  const guesses = new GuessCounter();
  noteGuesses(guesses, 100, { address: "first" });
  for (let index = 0; index < 999; index += 1) guesses.countGuess(`10.1.0.${index}`, 200);
  expect(guesses.isRefused("first", 300)).toBe(true);
  guesses.countGuess("one more", 300);
  expect(guesses.isRefused("first", 300)).toBe(false);
});
