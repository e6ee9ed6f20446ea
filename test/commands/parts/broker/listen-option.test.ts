import { describe, expect, test } from "vitest";
import { parseListenOptions } from "../../../../src/commands/parts/broker/listen-option.ts";
import { SophiaError } from "../../../../src/core/error.ts";

const readListenOption = (brokerListen: string | undefined, brokerName?: string) =>
  parseListenOptions({ brokerListen, brokerName });

function findRefusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof SophiaError) return `${error.code} ${error.status}: ${error.message}`;
    throw error;
  }
  return "accepted";
}

describe("--broker-listen", () => {
  test.each([
    [undefined, { host: "127.0.0.1", port: 0 }],
    ["172.17.0.1", { host: "172.17.0.1", port: 0 }],
    ["172.17.0.1:8080", { host: "172.17.0.1", port: 8080 }],
    ["127.0.0.1:65535", { host: "127.0.0.1", port: 65_535 }],
    ["fd00::1", { host: "fd00::1", port: 0 }],
    ["[FD00:0::1]", { host: "fd00::1", port: 0 }],
    ["[fd00::1]:80", { host: "fd00::1", port: 80 }],
    ["unix:a.sock", { path: "a.sock" }],
    ["unix:/run/a:b,c", { path: "/run/a:b,c" }],
  ])("accepts %s", (text, expected) => {
    expect(readListenOption(text)).toEqual(expected);
  });

  test.each([
    ["0.0.0.0", "all interfaces"],
    ["0.0.0.0:80", "all interfaces"],
    ["::", "all interfaces"],
    ["[0:0::0]:80", "all interfaces"],
    ["::ffff:0.0.0.0", "in the form of IPv6"],
    ["::ffff:10.0.0.1", "in the form of IPv6"],
    ["localhost", "not an address"],
    ["host.docker.internal:80", "not an address"],
    ["*", "not an address"],
    ["", "not an address"],
    [":80", "not an address"],
    ["80", "not an address"],
    ["127.1", "not an address"],
    ["10.0.0.1/24", "not an address"],
    ["http://10.0.0.1", "not an address"],
    ["[10.0.0.1]", "not an address"],
    ["[fd00::1", "not an address"],
    ["fe80::1%eth0", "the zone"],
    ["10.0.0.1:", "not a port"],
    ["10.0.0.1:0", "not a port"],
    ["10.0.0.1:65536", "not a port"],
    ["10.0.0.1:8e1", "not a port"],
    ["[fd00::1]:-1", "not a port"],
    ["unix:", "no path"],
  ])("refuses %j", (text, reason) => {
    const message = findRefusal(() => readListenOption(text));
    expect(message).toMatch(/^settings 125: --broker-listen has an invalid value: /);
    expect(message).toContain(reason);
  });
});

describe("--broker-name", () => {
  test.each([
    ["host.docker.internal", "host.docker.internal"],
    ["Host.Docker.Internal", "host.docker.internal"],
    ["10.0.2.2", "10.0.2.2"],
    ["fd00::1", "[fd00::1]"],
    ["[fd00::1]", "[fd00::1]"],
  ])("accepts %s", (text, name) => {
    expect(readListenOption("172.17.0.1", text)).toEqual({ host: "172.17.0.1", port: 0, name });
    expect(readListenOption(undefined, text)).toEqual({ host: "127.0.0.1", port: 0, name });
  });

  test.each(["a b", "a/b", "a:80", "[fd00::1]:80", "http://a", "a@b", "a?b", "a#", ""])("refuses %j", (text) => {
    expect(findRefusal(() => readListenOption("172.17.0.1", text))).toMatch(
      /^settings 125: --broker-name has an invalid value/,
    );
  });

  test("has no effect on a socket", () => {
    expect(findRefusal(() => readListenOption("unix:a", "a"))).toMatch(/^settings 125: --broker-name has no effect/);
  });
});
