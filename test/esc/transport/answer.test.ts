/** An answer of the service that is not what was asked for. */
import { expect, test } from "vitest";
import { EscFault } from "../../../src/esc/faults/esc-fault.ts";
import { Cleaner, requireObject } from "../../../src/esc/transport/answer.ts";

test.each([
  ["", "empty"],
  [" \r\n\t", "empty"],
  ["\uFEFF", "empty"],
  ["  <!doctype html>", "html"],
  ["{", "not-json"],
  ["[]", "unexpected"],
  ["null", "unexpected"],
])("an answer of status 200 with the text %j is refused as %s", (data, problem) => {
  let thrown: unknown;
  try {
    requireObject({ status: 200, headers: {}, data }, "api.example.test", new Cleaner());
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(EscFault);
  expect(thrown).toMatchObject({ fault: { kind: "answer", host: "api.example.test", problem } });
});
