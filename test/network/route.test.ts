/** Tests which proxy a request goes by. */
import { describe, expect, test } from "vitest";
import { readCallerNetwork } from "../../src/esc/settings/access-settings.ts";
import { findRoute } from "../../src/network/connect.ts";
import type { NetworkSettings } from "../../src/network/network-settings.ts";

const NONE = readCallerNetwork(new Map());

async function describeRoute(url: string, network: Partial<NetworkSettings>): Promise<string> {
  const found = await findRoute(new URL(url), { ...NONE, ...network });
  return found.kind === "proxy" ? found.proxy.href : found.kind === "direct" ? "direct" : found.variable;
}

describe("a request goes by the proxy that the settings name", () => {
  test.each<[string, Partial<NetworkSettings>, string]>([
    ["https://api.example", {}, "direct"],
    ["https://api.example", { httpsProxy: "http://p.example:3128" }, "http://p.example:3128/"],
    ["https://api.example", { httpsProxy: "p.example:3128" }, "http://p.example:3128/"],
    ["https://api.example", { httpsProxy: " https://u:p@p.example " }, "https://u:p@p.example/"],
    ["https://api.example", { httpProxy: "http://p.example" }, "direct"],
    ["http://api.example", { httpProxy: "http://p.example", httpsProxy: "http://q.example" }, "http://p.example/"],
    ["https://api.example", { httpsProxy: "socks5://p.example" }, "HTTPS_PROXY"],
    ["https://api.example", { httpsProxy: "http://" }, "HTTPS_PROXY"],
    ["http://api.example", { httpProxy: "::" }, "HTTP_PROXY"],
    ["https://localhost:8443", { httpsProxy: "http://p.example" }, "direct"],
    ["https://127.3.2.1", { httpsProxy: "http://p.example" }, "direct"],
    ["https://[::1]:8443", { httpsProxy: "http://p.example" }, "direct"],
  ])("to %s with %o", async (url, network, expected) => {
    expect(await describeRoute(url, network)).toBe(expected);
  });
});

describe("a request goes directly or by the proxy as NO_PROXY says", () => {
  test.each<[string, string, "direct" | "proxy"]>([
    ["https://api.example", "*", "direct"],
    ["https://api.example", "api.example", "direct"],
    ["https://api.example", "API.Example.", "direct"],
    ["https://api.example", "other.example, api.example", "direct"],
    ["https://api.example", "other.example api.example", "direct"],
    ["https://a.b.example", "b.example", "direct"],
    ["https://a.b.example", ".b.example", "direct"],
    ["https://a.b.example", "*.b.example", "direct"],
    ["https://b.example", ".b.example", "direct"],
    ["https://ab.example", "b.example", "proxy"],
    ["https://api.example", "example.org", "proxy"],
    ["https://api.example", "", "proxy"],
    ["https://api.example", ",,", "proxy"],
    ["https://api.example", "api.example:443", "direct"],
    ["https://api.example", "api.example:8443", "proxy"],
    ["https://api.example:8443", "api.example:8443", "direct"],
    ["https://10.1.2.3", "10.0.0.0/8", "direct"],
    ["https://11.1.2.3", "10.0.0.0/8", "proxy"],
    ["https://10.1.2.3", "10.1.2.3", "direct"],
    ["https://10.1.2.3", "2.3", "proxy"],
    ["https://10.1.2.3", "10.0.0.0/99", "proxy"],
    ["https://10.1.2.3", "10.0.0.0/x", "proxy"],
    ["https://[fd00::1]", "fd00::/8", "direct"],
    ["https://[fd00::1]", "[fd00::1]", "direct"],
    ["https://[fd00::1]:8443", "[fd00::1]:8443", "direct"],
    ["https://[fd00::1]", "[fd00::1]:8443", "proxy"],
    ["https://[fd00::1]", "fd00:0:0:0:0:0:0:1", "direct"],
  ])("%s with %s", async (url, noProxy, expected) => {
    expect(await describeRoute(url, { httpsProxy: "http://proxy.example", noProxy })).toBe(
      expected === "direct" ? "direct" : "http://proxy.example/",
    );
  });
});
