import { expect, test } from "vitest";
import { parseGoDuration } from "./duration.ts";

test.each([
  ["1h30m", 5_400_000],
  ["2h0m0s", 7_200_000],
  ["1.5h", 5_400_000],
  [".5s", 500],
  ["90s", 90_000],
  ["1m500ms", 60_500],
  ["0", 0],
  ["-1m", -60_000],
  ["1500us", 1.5],
  ["3600", undefined],
  ["1d", undefined],
  ["1h ", undefined],
  ["h", undefined],
  [".s", undefined],
  ["", undefined],
])("reads %j as Go does", (text, expected) => {
  expect(parseGoDuration(text)).toBe(expected);
});
