import { expect, test } from "vitest";
import { parseSlot } from "../../../src/contract/broker/broker-model.ts";
import { deriveFromProbe, parseOrigin } from "../../../src/contract/broker/from-probe.ts";

test.each([
  ["https://api.example.com", "https://api.example.com"],
  ["https://API.example.com:443/me?a=b#c", "https://api.example.com"],
  ["http://127.0.0.1:8080?x", "http://127.0.0.1:8080"],
  ["https://api.example.com#${KEY}", "https://api.example.com"],
  ["${BASE_URL}/me", "${BASE_URL}"],
  ["${BASE_URL}", "${BASE_URL}"],
  ["x${BASE_URL}/me", undefined],
  ["xhttps://api.example.com", undefined],
  ["ftp://api.example.com", undefined],
  ["https://", undefined],
  ["", undefined],
])("the probe of %s shows that the key is for %s", (url, upstream) => {
  expect(deriveFromProbe("KEY", { url })).toStrictEqual(
    upstream === undefined ? { slots: [] } : { upstream, slots: [] },
  );
});

test.each([
  ["X-Api-Key", "${KEY}", ["X-Api-Key"]],
  ["Authorization", "Bearer ${KEY}", ["Authorization: Bearer"]],
  ["Authorization", "Token-2   ${KEY}", ["Authorization: Token-2"]],
  ["Authorization", "Bearer${KEY}", []],
  ["Authorization", " Bearer ${KEY}", []],
  ["Authorization", "Basic a Bearer ${KEY}", []],
  ["Authorization", "2Bearer ${KEY}", []],
  ["Authorization", "Bearer =${KEY}", []],
  ["Authorization", "Bearer ${KEY} ", []],
  ["Authorization", "Bearer ${OTHER_KEY}", []],
  ["X-Api-Key", " ${KEY}", []],
  ["Host", "${KEY}", []],
])("the header %s: %s of a probe is where the broker puts the key: %j", (header, value, slots) => {
  const probe = { url: "https://api.example.com", headers: { Accept: "application/json", [header]: value } };
  expect(deriveFromProbe("KEY", probe).slots).toEqual(slots.map(parseSlot));
});

test("a probe shows each header with the key, and one that sends no HTTP request shows nothing", () => {
  const headers = { "X-Api-Key": "${KEY}", Authorization: "Bearer ${KEY}" };
  expect(deriveFromProbe("KEY", { url: "https://api.example.com", headers })).toEqual({
    upstream: "https://api.example.com",
    slots: [parseSlot("X-Api-Key"), parseSlot("Authorization: Bearer")],
  });
  expect(deriveFromProbe("KEY", "postgresql")).toStrictEqual({ slots: [] });
  expect(deriveFromProbe("KEY", undefined)).toStrictEqual({ slots: [] });
});

test.each([
  ["https://API.example.com:443/", "https://api.example.com"],
  ["https://api.example.com/path", "https://api.example.com"],
  ["api.example.com", undefined],
  ["", undefined],
])("the origin of %j is %s", (text, origin) => {
  expect(parseOrigin(text)).toBe(origin);
});
