import { expect, test } from "vitest";
import {
  HeaderFields,
  formatHead,
  parseConnectionOptions,
  valuesOf,
  withoutHeader,
} from "../../src/broker/header-fields.ts";

const RAW = ["Host", "a.test", "X-Key", "1", "Accept", "x-key", "x-KEY", "2"];

test("the values of a header are found in any spelling of its name, in their order", () => {
  const fields = new HeaderFields(RAW);
  expect([fields.valuesOf("x-key"), valuesOf(RAW, "x-key")]).toEqual([
    ["1", "2"],
    ["1", "2"],
  ]);
  expect([fields.valuesOf("x-other"), valuesOf(RAW, "x-other")]).toEqual([[], []]);
  // No value is taken for a name, nor a name for one of the same length.
  expect([fields.valuesOf("a.test"), valuesOf(RAW, "a.test")]).toEqual([[], []]);
  expect(["host", "x-key", "a.test", "hos"].map((name) => fields.has(name))).toEqual([true, true, false, false]);
  expect([fields.raw, fields.names, fields.values]).toEqual([
    RAW,
    ["host", "x-key", "accept", "x-key"],
    ["a.test", "1", "x-key", "2"],
  ]);
});

test("a name without a value has an empty one, or none", () => {
  expect(new HeaderFields(["Host"]).valuesOf("host")).toEqual([""]);
  expect(valuesOf(["Host"], "host")).toEqual([]);
});

test.each([
  ["keep-alive", ["keep-alive"]],
  ["Close", ["close"]],
  ["close, X-Key", ["close", "x-key"]],
  ["keep-alive,\tX-Key ,TE", ["keep-alive", "x-key", "te"]],
])("the value %j of Connection names %j", (value, names) => {
  expect(parseConnectionOptions(value)).toEqual(names);
});

test("a header is for one connection alone if any Connection header names it", () => {
  const fields = new HeaderFields(["Connection", "close", "connection", "TE, X-Key", "X-Other", "x-third"]);
  expect(
    ["x-key", "te", "close", "x-other", "x-third", "x-ke"].map((name) => fields.isNamedByConnection(name)),
  ).toEqual([true, true, true, false, false, false]);
  expect(new HeaderFields(RAW).isNamedByConnection("x-key")).toBe(false);
});

test("a header is removed with its values, in any spelling, and no value that equals its name", () => {
  expect(withoutHeader(RAW, "x-key")).toEqual(["Host", "a.test", "Accept", "x-key"]);
  expect(withoutHeader(RAW, "other")).toEqual(RAW);
});

test("the head of a message has a line for each field, and an empty one at its end", () => {
  expect(formatHead("GET / HTTP/1.1", RAW)).toBe(
    "GET / HTTP/1.1\r\nHost: a.test\r\nX-Key: 1\r\nAccept: x-key\r\nx-KEY: 2\r\n\r\n",
  );
  expect(formatHead("HTTP/1.1 200 OK", [])).toBe("HTTP/1.1 200 OK\r\n\r\n");
});
