import { describe, expect, test } from "vitest";
import { admission, type RequestHead } from "../../src/broker/admit.ts";
import { LOOPBACK_ADDRESS, ownAddress, type OwnAddress } from "../../src/broker/own-address.ts";
import { planKey } from "../../src/broker/key-plan.ts";
import { parseRules } from "../../src/contract/broker/path-rules.ts";
import { PROVIDERS } from "../../src/contract/broker/providers.ts";
import { routesTo } from "./routes.ts";

const PORT = 40_123;
const OWN = ownAddress(LOOPBACK_ADDRESS, PORT);
const [openai, anthropic, search] = routesTo("https://api.example.test");
const admit = admission([openai, anthropic, search], OWN);
const HOST = ["Host", `127.0.0.1:${PORT}`] as const;
const KEY = ["Authorization", `Bearer ${openai.dummy}`] as const;

function ask(changes: Partial<RequestHead> = {}): string {
  const asked = {
    method: "POST",
    version: "1.1",
    target: "/v1/chat/completions",
    rawHeaders: [...HOST, ...KEY],
    isUpgrade: false,
  };
  const outcome = admit({ ...asked, ...changes });
  return "code" in outcome ? outcome.code : outcome.target;
}

describe("the form of a request", () => {
  test("is admitted with its query as it was sent", () => {
    expect(ask({ target: "/v1/models?a=b&c=%2F..//x" })).toBe("/v1/models?a=b&c=%2F..//x");
  });

  test.each([
    ["1.1", "/v1/chat/completions"],
    ["1.0", "/v1/chat/completions"],
    ["2.0", "broker-request"],
    ["0.9", "broker-request"],
    ["", "broker-request"],
  ])("the version is HTTP/1.1 or 1.0, not %j", (version, expected) => {
    expect(ask({ version })).toBe(expected);
    expect(
      ask({ version, method: "GET", rawHeaders: [...HOST, ...KEY, "Upgrade", "websocket"], isUpgrade: true }),
    ).toBe(expected);
  });

  test.each(["TRACE", "CONNECT"])("%s is not supported", (method) => {
    expect(ask({ method })).toBe("broker-method");
  });

  test.each(["http://api.example.test/v1", "*", "api.example.test:443", "", "/a b", "/a#b", "/ä", "/a\u0000"])(
    "the target must be a path, not %j",
    (target) => expect(ask({ target })).toBe("broker-request"),
  );

  test.each([
    ["none", [], "broker-request"],
    ["two", [...HOST, ...HOST], "broker-request"],
    ["the service's", ["Host", "api.example.test"], "broker-denied"],
    ["another port", ["Host", "127.0.0.1:1"], "broker-denied"],
    ["a name that leads here", ["Host", `evil.example.test:${PORT}`], "broker-denied"],
    ["without the port", ["Host", "127.0.0.1"], "broker-denied"],
    ["the other name", ["host", `LocalHost:${PORT}`], "/v1/chat/completions"],
  ])("Host: %s", (_, host, expected) => {
    expect(ask({ rawHeaders: [...host, ...KEY] })).toBe(expected);
  });

  test.each([
    ["chunked alone", ["transfer-encoding", "Chunked"], "/v1/chat/completions"],
    ["one that would be dropped", ["Transfer-Encoding", "gzip, chunked"], "broker-request"],
    ["two", ["Transfer-Encoding", "gzip", "Transfer-Encoding", "chunked"], "broker-request"],
  ])("transfer coding: %s", (_, headers, expected) => {
    expect(ask({ rawHeaders: [...HOST, ...KEY, ...headers] })).toBe(expected);
  });

  test("a thousand headers are admitted, and no more", () => {
    const empty = (count: number) => Array.from({ length: count }, () => ["a", ""]).flat();
    expect(ask({ rawHeaders: [...HOST, ...KEY, ...empty(998)] })).toBe("/v1/chat/completions");
    expect(ask({ rawHeaders: [...HOST, ...KEY, ...empty(999)] })).toBe("broker-request");
  });

  test.each(["Origin", "sec-fetch-site"])("of a web page (%s) is refused", (name) => {
    expect(ask({ rawHeaders: [...HOST, ...KEY, name, "null"] })).toBe("broker-denied");
  });
});

describe("the key", () => {
  test.each([
    ["is missing", []],
    ["is unknown", ["Authorization", "Bearer sk-sophia-zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"]],
    ["is a real one, perhaps", ["Authorization", "Bearer sk-0123456789"]],
  ])("%s", (_, headers) => {
    expect(ask({ rawHeaders: [...HOST, ...headers] })).toBe("broker-key");
  });

  test.each([
    ["in another header", ["X-Api-Key", openai.dummy]],
    ["in a header that no client uses", ["X-Log", openai.dummy]],
    ["with another scheme", ["Authorization", `Basic ${openai.dummy}`]],
    ["in Basic credentials", ["Authorization", `Basic ${btoa(`${openai.dummy}:`)}`]],
    ["without its scheme", ["Authorization", openai.dummy]],
    ["with text behind it", ["Authorization", `Bearer ${openai.dummy} x`]],
    ["as a part", ["Authorization", `Bearer x${openai.dummy}`]],
    ["twice", [...KEY, ...KEY]],
    ["beside other credentials in the same header", [...KEY, "authorization", "Bearer other"]],
    ["also in another header", [...KEY, "X-Log", `key=${openai.dummy}`]],
    ["beside another key", [...KEY, "x-api-key", anthropic.dummy]],
    ["also as a header's name", [...KEY, openai.dummy, "1"]],
    ["beside another key in a header of no meaning", [...KEY, "X-Log", search.dummy]],
  ])("%s: denied", (_, headers) => {
    expect(ask({ rawHeaders: [...HOST, ...headers] })).toBe("broker-denied");
  });

  test.each([`/v1/models?key=${openai.dummy}`, `/v1/${openai.dummy}`, `/v1/m?k=${openai.dummy.replace("sk", "%73k")}`])(
    "in the target is denied: %s",
    (target) => expect(ask({ target })).toBe("broker-denied"),
  );

  test.each([
    ["authorization", `bearer ${openai.dummy}`],
    ["AUTHORIZATION", `BEARER   ${openai.dummy}`],
  ])("%s: %s is accepted", (name, value) => {
    expect(ask({ rawHeaders: [...HOST, name, value] })).toBe("/v1/chat/completions");
  });

  test("may stand in each of its headers", () => {
    const target = "/v1/messages";
    expect(ask({ target, rawHeaders: [...HOST, "X-API-Key", anthropic.dummy] })).toBe(target);
    expect(ask({ target, rawHeaders: [...HOST, "Authorization", `Bearer ${anthropic.dummy}`] })).toBe(target);
  });
});

describe("the path", () => {
  const headers = [...HOST, "x-api-key", anthropic.dummy];

  test.each([
    ["/messages", "/v1/messages"],
    ["/v1/messages", "/v1/messages"],
    ["/v1beta/messages", "/v1/v1beta/messages"],
    ["/?x", "/v1/?x"],
  ])("%s gets its prefix: %s", (target, expected) => {
    expect(ask({ target, rawHeaders: headers })).toBe(expected);
  });

  test.each([
    ["/v1/organizations", "broker-denied"],
    ["/organizations/x", "broker-denied"],
    ["/v1/Organizations/", "broker-denied"],
    ["/v1/organizations/api_keys?a", "broker-denied"],
    // The service has no such path.
    ["/V1/organizations", "/v1/V1/organizations"],
  ])("%s is denied also without its prefix: %s", (target, expected) => {
    expect(ask({ target, rawHeaders: headers })).toBe(expected);
  });

  test.each(["/v1//chat", "/v1/../v1/chat", "/v1/%6frganization/x", "/v1%2f%2e", "/v1\\organization"])(
    "%s is ambiguous",
    (target) => expect(ask({ target })).toBe("broker-request"),
  );

  test("with %2F is admitted if both readings are: as a character and as a slash", () => {
    expect(ask({ target: "/v1/models/a%2Fb?x=%2F" })).toBe("/v1/models/a%2Fb?x=%2F");
    expect(ask({ target: "/v1%2forganization" })).toBe("broker-denied");
    const rawHeaders = [...HOST, "Authorization", `Bearer ${search.dummy}`];
    expect(ask({ method: "GET", target: "/v2/documents/a%2Fb", rawHeaders })).toBe("/v2/documents/a%2Fb");
    expect(ask({ method: "GET", target: "/v2%2Fdocuments/a", rawHeaders })).toBe("broker-denied");
    expect(ask({ target: "/v1%2Fmessages", rawHeaders: [...HOST, "x-api-key", anthropic.dummy] })).toBe(
      "broker-request",
    );
  });

  test.each([
    ["POST", "/v2/query", "/v2/query"],
    ["GET", "/v2/query", "broker-denied"],
    ["GET", "/v2/documents/a/b", "/v2/documents/a/b"],
    ["POST", "/v2/keys", "broker-denied"],
  ])("with allowed paths alone: %s %s", (method, target, expected) => {
    const rawHeaders = [...HOST, "Authorization", `Bearer ${search.dummy}`];
    expect(ask({ method, target, rawHeaders })).toBe(expected);
  });

  test.each(["X-HTTP-Method-Override", "x-original-url"])("%s cannot replace it", (name) => {
    expect(ask({ rawHeaders: [...HOST, ...KEY, name, "DELETE"] })).toBe("broker-denied");
  });
});

describe("behind a gateway", () => {
  const gateway = { ...openai, path: "/openai/v1", servicePath: "/v1" };
  const claude = { ...anthropic, path: "/anthropic/v1" };
  const through = admission([gateway, claude], OWN);

  test.each([
    ["/openai/v1/chat/completions", "/openai/v1/chat/completions"],
    ["/openai/v1/organization/x", "broker-denied"],
    ["/v1/chat/completions", "broker-denied"],
    ["/openai/v1x/chat", "broker-denied"],
    ["/openai/v1/../../v1/organization/x", "broker-request"],
  ])("%s becomes %s", (target, expected) => {
    const outcome = through({
      method: "POST",
      version: "1.1",
      target,
      rawHeaders: [...HOST, ...KEY],
      isUpgrade: false,
    });
    expect("code" in outcome ? outcome.code : outcome.target).toBe(expected);
  });

  test.each([
    ["/to/https%3A%2F%2Fapi//v1/chat/completions", "/to/https%3A%2F%2Fapi//v1/chat/completions"],
    ["/to/https%3A%2F%2Fapi//v1/organization/x", "broker-denied"],
    ["/to/https%3A%2F%2Fapi//v1//organization/x", "broker-request"],
    ["/to/https%3A%2F%2Fapi//v1/../organization/x", "broker-request"],
    ["/to/https%3A%2F%2Fapi//v1%2forganization/x", "broker-request"],
    ["/to/https://api//v1/chat/completions", "broker-request"],
  ])("whose address servers can read in two ways, %s becomes %s", (target, expected) => {
    const behind = admission([{ ...openai, path: "/to/https%3A%2F%2Fapi//v1", servicePath: "/v1" }], OWN);
    const outcome = behind({ method: "POST", version: "1.1", target, rawHeaders: [...HOST, ...KEY], isUpgrade: false });
    expect("code" in outcome ? outcome.code : outcome.target).toBe(expected);
  });

  test("whose address ends with the prefix, the prefix is not doubled", () => {
    const rawHeaders = [...HOST, "x-api-key", claude.dummy];
    const askThrough = (target: string) =>
      through({ method: "POST", version: "1.1", target, rawHeaders, isUpgrade: false });
    expect(askThrough("/anthropic/v1/messages")).toMatchObject({ target: "/anthropic/v1/messages" });
    expect(askThrough("/anthropic/v1/organizations")).toMatchObject({ code: "broker-denied" });
  });
});

describe("an upgrade", () => {
  test.each([
    ["to websocket", "GET", ["Upgrade", "WebSocket"], "/v1/chat/completions"],
    ["to another protocol", "GET", ["Upgrade", "h2c"], "broker-request"],
    ["to a choice", "GET", ["Upgrade", "websocket, h2c"], "broker-request"],
    ["to two", "GET", ["Upgrade", "websocket", "Upgrade", "h2c"], "broker-request"],
    ["of a POST", "POST", ["Upgrade", "websocket"], "broker-request"],
    ["with a body", "GET", ["Upgrade", "websocket", "Content-Length", "1"], "broker-request"],
  ])("%s", (_, method, headers, expected) => {
    expect(ask({ method, rawHeaders: [...HOST, ...KEY, ...headers], isUpgrade: true })).toBe(expected);
  });
});

describe("GitHub, which has several hosts", () => {
  const dummy = "ghp_sophia-dddddddddddddddddddddddddddddddd";
  const planned = planKey(
    {
      name: "GITHUB_PAT",
      source: "esc",
      dummy,
      entry: {
        allow: parseRules(["github.com: * /acme/app.git/**", "api.github.com: * /repos/acme/**", "* /user/**"]),
      },
      provider: PROVIDERS["GITHUB_PAT"],
    },
    { valueOf: () => undefined, caller: "caller", contract: { path: "c.json", isNamed: false }, allowed: [] },
  );
  if ("kind" in planned) throw new TypeError(planned.kind);
  const routes = [planned.route, openai];
  const basic = (text: string): readonly [string, string] => ["Authorization", `Basic ${btoa(text)}`];
  const KEY_OF_GIT = basic(`x-access-token:${dummy}`);
  const GITHUB = ["Host", "github.com"] as const;
  const URL_OF_GIT = "http://github.com/acme/app.git/info/refs";

  function askGithub(target: string, rawHeaders: readonly string[], own: OwnAddress = OWN): string {
    const outcome = admission(routes, own)({ method: "GET", version: "1.1", target, rawHeaders, isUpgrade: false });
    return "code" in outcome ? outcome.code : `${outcome.origin} ${outcome.target} (${outcome.address})`;
  }

  test.each([
    [
      "git's request",
      URL_OF_GIT,
      [...GITHUB, ...KEY_OF_GIT],
      "https://github.com /acme/app.git/info/refs (http://github.com)",
    ],
    [
      "another user name",
      URL_OF_GIT,
      [...GITHUB, ...basic(`u:${dummy}`)],
      "https://github.com /acme/app.git/info/refs (http://github.com)",
    ],
    [
      "capitals",
      URL_OF_GIT.replace("github", "GitHub"),
      ["host", "GITHUB.COM", ...KEY_OF_GIT],
      "https://github.com /acme/app.git/info/refs (http://github.com)",
    ],
    ["another Host", URL_OF_GIT, [...HOST, ...KEY_OF_GIT], "broker-request"],
    ["two Host", URL_OF_GIT, [...GITHUB, ...GITHUB, ...KEY_OF_GIT], "broker-request"],
    ["no Host", URL_OF_GIT, KEY_OF_GIT, "broker-request"],
    ["another host", "http://evil.test/acme/app.git/x", ["Host", "evil.test", ...KEY_OF_GIT], "broker-request"],
    [
      "a host that is not git's",
      "http://api.github.com/repos/acme/app",
      ["Host", "api.github.com", ...KEY_OF_GIT],
      "broker-request",
    ],
    ["a port", "http://github.com:80/acme/app.git/x", ["Host", "github.com:80", ...KEY_OF_GIT], "broker-request"],
    ["a user", "http://u@github.com/acme/app.git/x", [...GITHUB, ...KEY_OF_GIT], "broker-request"],
    ["https", "https://github.com/acme/app.git/x", [...GITHUB, ...KEY_OF_GIT], "broker-request"],
    ["no path", "http://github.com", [...GITHUB, ...KEY_OF_GIT], "broker-request"],
    ["a fragment", `${URL_OF_GIT}#x`, [...GITHUB, ...KEY_OF_GIT], "broker-request"],
    ["a web page", URL_OF_GIT, [...GITHUB, ...KEY_OF_GIT, "Origin", "null"], "broker-denied"],
    ["another repository", "http://github.com/acme/other.git/info/refs", [...GITHUB, ...KEY_OF_GIT], "broker-denied"],
    ["dot segments", "http://github.com/acme/app.git/../x", [...GITHUB, ...KEY_OF_GIT], "broker-request"],
    ["another key", URL_OF_GIT, [...GITHUB, ...KEY], "broker-denied"],
    ["no key", URL_OF_GIT, GITHUB, "broker-key"],
  ])("in absolute form: %s", (_, target, headers, expected) => {
    expect(askGithub(target, headers)).toBe(expected);
  });

  const API = `http://127.0.0.1:${PORT}/api.github.com`;
  test.each([
    ["/api.github.com/repos/acme/app?x=/", `https://api.github.com /repos/acme/app?x=/ (${API})`],
    ["/api.github.com/user", `https://api.github.com /user (${API})`],
    ["/uploads.github.com/repos/acme/app", "broker-denied"],
    ["/github.com/acme/app.git/x", `https://github.com /acme/app.git/x (${API.replace("api.", "")})`],
    ["/api.github.com/acme/app.git/x", "broker-denied"],
    ["/api.github.com", "broker-denied"],
    ["/api.github.comx/user", "broker-denied"],
    ["/evil.test/user", "broker-denied"],
    ["/user", "broker-denied"],
    ["/api.github.com/user/keys", "broker-denied"],
    ["/api.github.com/user/Keys/1", "broker-denied"],
    ["/api.github.com/repos/acme/app/actions/secrets/A", "broker-denied"],
    ["/api.github.com/../github.com/user", "broker-request"],
    [
      "/api.github.com/repos/acme/app/git/ref/heads%2Fmain",
      `https://api.github.com /repos/acme/app/git/ref/heads%2Fmain (${API})`,
    ],
    ["/api.github.com/repos/acme%2fapp/keys", "broker-denied"],
    ["/api.github.com/repos%2Facme/app", "broker-denied"],
    ["/api.github.com/repos/acme/x%2F..%2Fy", "broker-request"],
    ["/api.github.com/repos/acme/x%2F%2Fy", "broker-request"],
    ["/api.github.com/user%2Fkeys", "broker-denied"],
  ])("by its variables: %s becomes %s", (target, expected) => {
    expect(askGithub(target, [...HOST, "Authorization", `token ${dummy}`])).toBe(expected);
    expect(askGithub(target, [...HOST, "Authorization", `Bearer ${dummy}`])).toBe(expected);
    expect(askGithub(target, [...HOST, ...basic(`me:${dummy}`)])).toBe(expected);
  });

  test.each([
    ["as the user name", basic(`${dummy}:x`), "broker-denied"],
    ["as both", basic(`${dummy}:${dummy}`), "broker-denied"],
    ["with text behind it", basic(`u:${dummy}:x`), "broker-denied"],
    ["in base64 that servers decode differently", ["Authorization", `${KEY_OF_GIT[1]}=`], "broker-denied"],
    ["also as Bearer", [...KEY_OF_GIT, "Authorization", `Bearer ${dummy}`], "broker-denied"],
    ["twice", [...KEY_OF_GIT, ...KEY_OF_GIT], "broker-denied"],
    ["also in another header", [...KEY_OF_GIT, "X-Log", dummy], "broker-denied"],
    ["beside another key", [...KEY_OF_GIT, "X-Log", openai.dummy], "broker-denied"],
    ["of a key that is no password", basic(`u:${openai.dummy}`), "broker-denied"],
    ["that is unknown", basic("u:ghp_sophia-zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"), "broker-key"],
  ])("Basic credentials with the key %s", (_, headers, expected) => {
    expect(askGithub(URL_OF_GIT, [...GITHUB, ...headers])).toBe(expected);
  });

  const SOCKET: OwnAddress = { origin: "http://localhost", hosts: ["localhost"], isSocket: true };
  test.each([
    ["api.github.com", "/user", "https://api.github.com /user (https://api.github.com)"],
    ["API.GitHub.com", "/user", "https://api.github.com /user (https://api.github.com)"],
    ["uploads.github.com", "/user/x", "https://uploads.github.com /user/x (https://uploads.github.com)"],
    ["github.com", "/acme/app.git/x", "https://github.com /acme/app.git/x (https://github.com)"],
    ["localhost", "/api.github.com/user", "https://api.github.com /user (http://localhost/api.github.com)"],
    ["evil.test", "/user", "broker-denied"],
    ["api.example.test", "/user", "broker-denied"],
  ])("on a socket by Host: %s", (host, target, expected) => {
    expect(askGithub(target, ["Host", host, "Authorization", `token ${dummy}`], SOCKET)).toBe(expected);
    expect(askGithub(target, ["Host", host, "Authorization", `token ${dummy}`])).toBe("broker-denied");
  });

  test("on a socket, each other key has its own host alone", () => {
    const keyed = (host: string): string => askGithub("/v1/models", ["Host", host, ...KEY], SOCKET);
    expect(keyed("api.example.test")).toBe("https://api.example.test /v1/models (https://api.example.test)");
    expect(keyed("localhost")).toBe("https://api.example.test /v1/models (http://localhost)");
    expect(keyed("api.github.com")).toBe("broker-denied");
  });
});
