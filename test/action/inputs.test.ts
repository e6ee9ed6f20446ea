/** Tests how the inputs of the GitHub Action are read. */
import { expect, test } from "vitest";
import { byInput } from "../../src/action/inputs.ts";

test.each([
  ["--timeout has an invalid value", "the input timeout has an invalid value"],
  ["allow more time with --timeout (SOPHIA_TIMEOUT)", "allow more time with the input timeout (SOPHIA_TIMEOUT)"],
  ["--include and --exclude", "the input include and the input exclude"],
  ["--broker, --in and --timeouts are no inputs", "--broker, --in and --timeouts are no inputs"],
  ["--fake\n  sophia-run check --profile ci", "the input fake\n  sophia-run check --profile ci"],
])("%j names inputs in place of options", (text, expected) => {
  expect(byInput(text)).toBe(expected);
});
