import { expect, test } from "vitest";
import { createGitVariables, listRemotePrefixes } from "../../src/broker/git-access.ts";

const BROKER = "http://127.0.0.1:40123";
const HTTPS_ONLY = { host: "ghe.test:8443", dummy: "dummy-1", ssh: false };
const WITH_SSH = { host: "github.com", dummy: "dummy-2", ssh: true };

/** Returns the value of the header that git sends with a dummy. */
const authorization = (dummy: string): string =>
  `Authorization: Basic ${Buffer.from(`x-access-token:${dummy}`).toString("base64")}`;

test("git gets, for each host, the broker as its proxy, the dummy as its credentials, and no other helper", () => {
  expect(createGitVariables([HTTPS_ONLY, WITH_SSH], BROKER, new Map())).toEqual({
    GIT_CONFIG_KEY_0: "url.http://ghe.test:8443/.insteadOf",
    GIT_CONFIG_VALUE_0: "https://ghe.test:8443/",
    GIT_CONFIG_KEY_1: "http.http://ghe.test:8443/.proxy",
    GIT_CONFIG_VALUE_1: BROKER,
    GIT_CONFIG_KEY_2: "http.http://ghe.test:8443/.extraHeader",
    GIT_CONFIG_VALUE_2: authorization("dummy-1"),
    GIT_CONFIG_KEY_3: "credential.http://ghe.test:8443.helper",
    GIT_CONFIG_VALUE_3: "",
    GIT_CONFIG_KEY_4: "url.http://github.com/.insteadOf",
    GIT_CONFIG_VALUE_4: "https://github.com/",
    GIT_CONFIG_KEY_5: "url.http://github.com/.insteadOf",
    GIT_CONFIG_VALUE_5: "git@github.com:",
    GIT_CONFIG_KEY_6: "url.http://github.com/.insteadOf",
    GIT_CONFIG_VALUE_6: "ssh://git@github.com/",
    GIT_CONFIG_KEY_7: "http.http://github.com/.proxy",
    GIT_CONFIG_VALUE_7: BROKER,
    GIT_CONFIG_KEY_8: "http.http://github.com/.extraHeader",
    GIT_CONFIG_VALUE_8: authorization("dummy-2"),
    GIT_CONFIG_KEY_9: "credential.http://github.com.helper",
    GIT_CONFIG_VALUE_9: "",
    GIT_CONFIG_COUNT: "10",
  });
  expect(createGitVariables([], BROKER, new Map([["GIT_CONFIG_COUNT", "2"]]))).toEqual({});
});

test.each([
  ["2", 2],
  ["  +12", 12],
  ["\t999999", 999_999],
  // git refuses these numbers, so that no setting of the caller is in effect.
  ["2 ", 0],
  ["-2", 0],
  ["2x", 0],
  ["x2", 0],
  ["1000000", 0],
  ["", 0],
])("settings that the caller has counted as %j keep their numbers: the next is %i", (count, index) => {
  const variables = createGitVariables([HTTPS_ONLY], BROKER, new Map([["GIT_CONFIG_COUNT", count]]));
  expect([variables[`GIT_CONFIG_KEY_${index}`], variables["GIT_CONFIG_COUNT"]]).toEqual([
    "url.http://ghe.test:8443/.insteadOf",
    String(index + 4),
  ]);
});

test("remotes of ssh name the host without its port", () => {
  expect(listRemotePrefixes({ ...HTTPS_ONLY, ssh: true })).toEqual([
    "https://ghe.test:8443/",
    "git@ghe.test:",
    "ssh://git@ghe.test/",
  ]);
});
