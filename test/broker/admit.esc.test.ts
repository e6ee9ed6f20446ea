import { describe, expect, test } from "vitest";
import { createAdmission, type RequestHead } from "../../src/broker/admit.ts";
import { LOOPBACK_ADDRESS, createBrokerAddress, type BrokerAddress } from "../../src/broker/broker-listen.ts";
import { planKey } from "../../src/broker/key-plan.ts";
import { parseRules } from "../../src/contract/broker/path-rules.ts";
import { PROVIDERS } from "../../src/contract/broker/providers.ts";
import { createRoutes } from "./routes.ts";

const PORT = 40_123;
const OWN_ADDRESS = createBrokerAddress(LOOPBACK_ADDRESS, PORT);
const [openai, anthropic, search] = createRoutes("https://api.example.test");
const admit = createAdmission([openai, anthropic, search], OWN_ADDRESS);
const HOST_HEADER = ["Host", `127.0.0.1:${PORT}`] as const;
const KEY_HEADER = ["Authorization", `Bearer ${openai.dummy}`] as const;

function admitRequest(changes: Partial<RequestHead> = {}): string {
  const asked = {
    method: "POST",
    version: "1.1",
    target: "/v1/chat/completions",
    rawHeaders: [...HOST_HEADER, ...KEY_HEADER],
    isUpgrade: false,
  };
  const outcome = admit({ ...asked, ...changes });
  return "code" in outcome ? outcome.code : outcome.target;
}

describe("the broker decides by a request's form and", () => {
  test("admits a request with its query as the client sent it", () => {
    expect(admitRequest({ target: "/v1/models?a=b&c=%2F..//x" })).toBe("/v1/models?a=b&c=%2F..//x");
  });

  test.each([
    ["1.1", "/v1/chat/completions"],
    ["1.0", "/v1/chat/completions"],
    ["2.0", "broker-request"],
    ["0.9", "broker-request"],
    ["", "broker-request"],
  ])("admits HTTP/1.1 and 1.0 and refuses other versions: %j", (version, expected) => {
    expect(admitRequest({ version })).toBe(expected);
    expect(
      admitRequest({
        version,
        method: "GET",
        rawHeaders: [...HOST_HEADER, ...KEY_HEADER, "Upgrade", "websocket"],
        isUpgrade: true,
      }),
    ).toBe(expected);
  });

  test.each(["TRACE", "CONNECT"])("refuses the method %s as not supported", (method) => {
    expect(admitRequest({ method })).toBe("broker-method");
  });

  test.each(["http://api.example.test/v1", "*", "api.example.test:443", "", "/a b", "/a#b", "/ä", "/a\u0000"])(
    "refuses a target that is not a path: %j",
    (target) => expect(admitRequest({ target })).toBe("broker-request"),
  );

  test.each([
    ["none", [], "broker-request"],
    ["two", [...HOST_HEADER, ...HOST_HEADER], "broker-request"],
    ["the service's", ["Host", "api.example.test"], "broker-denied"],
    ["another port", ["Host", "127.0.0.1:1"], "broker-denied"],
    ["a name that leads here", ["Host", `evil.example.test:${PORT}`], "broker-denied"],
    ["without the port", ["Host", "127.0.0.1"], "broker-denied"],
    ["the other name", ["host", `LocalHost:${PORT}`], "/v1/chat/completions"],
  ])("admits only a Host header that names the broker: %s", (_, host, expected) => {
    expect(admitRequest({ rawHeaders: [...host, ...KEY_HEADER] })).toBe(expected);
  });

  test.each([
    ["chunked alone", ["transfer-encoding", "Chunked"], "/v1/chat/completions"],
    ["one that would be dropped", ["Transfer-Encoding", "gzip, chunked"], "broker-request"],
    ["two", ["Transfer-Encoding", "gzip", "Transfer-Encoding", "chunked"], "broker-request"],
  ])("admits no transfer coding but chunked alone: %s", (_, headers, expected) => {
    expect(admitRequest({ rawHeaders: [...HOST_HEADER, ...KEY_HEADER, ...headers] })).toBe(expected);
  });

  test("admits a thousand headers, and no more", () => {
    const empty = (count: number) => Array.from({ length: count }, () => ["a", ""]).flat();
    expect(admitRequest({ rawHeaders: [...HOST_HEADER, ...KEY_HEADER, ...empty(998)] })).toBe("/v1/chat/completions");
    expect(admitRequest({ rawHeaders: [...HOST_HEADER, ...KEY_HEADER, ...empty(999)] })).toBe("broker-request");
  });

  test.each(["Origin", "sec-fetch-site"])("refuses a request of a web page, which has the header %s", (name) => {
    expect(admitRequest({ rawHeaders: [...HOST_HEADER, ...KEY_HEADER, name, "null"] })).toBe("broker-denied");
  });
});

describe("the broker decides by a request's key and", () => {
  test.each([
    ["is missing", []],
    ["is unknown", ["Authorization", "Bearer sk-sophia-zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"]],
    ["is a real one, perhaps", ["Authorization", "Bearer sk-0123456789"]],
  ])("asks for a valid key if the key %s", (_, headers) => {
    expect(admitRequest({ rawHeaders: [...HOST_HEADER, ...headers] })).toBe("broker-key");
  });

  test.each([
    ["in another header", ["X-Api-Key", openai.dummy]],
    ["in a header that no client uses", ["X-Log", openai.dummy]],
    ["with another scheme", ["Authorization", `Basic ${openai.dummy}`]],
    ["in Basic credentials", ["Authorization", `Basic ${btoa(`${openai.dummy}:`)}`]],
    ["without its scheme", ["Authorization", openai.dummy]],
    ["with text behind it", ["Authorization", `Bearer ${openai.dummy} x`]],
    ["as a part", ["Authorization", `Bearer x${openai.dummy}`]],
    ["twice", [...KEY_HEADER, ...KEY_HEADER]],
    ["beside other credentials in the same header", [...KEY_HEADER, "authorization", "Bearer other"]],
    ["also in another header", [...KEY_HEADER, "X-Log", `key=${openai.dummy}`]],
    ["beside another key", [...KEY_HEADER, "x-api-key", anthropic.dummy]],
    ["also as a header's name", [...KEY_HEADER, openai.dummy, "1"]],
    ["beside another key in a header of no meaning", [...KEY_HEADER, "X-Log", search.dummy]],
  ])("denies a dummy %s", (_, headers) => {
    expect(admitRequest({ rawHeaders: [...HOST_HEADER, ...headers] })).toBe("broker-denied");
  });

  test.each([`/v1/models?key=${openai.dummy}`, `/v1/${openai.dummy}`, `/v1/m?k=${openai.dummy.replace("sk", "%73k")}`])(
    "denies a dummy in the target %s",
    (target) => expect(admitRequest({ target })).toBe("broker-denied"),
  );

  test.each([
    ["authorization", `bearer ${openai.dummy}`],
    ["AUTHORIZATION", `BEARER   ${openai.dummy}`],
  ])("accepts the scheme and the header's name in any case: %s: %s", (name, value) => {
    expect(admitRequest({ rawHeaders: [...HOST_HEADER, name, value] })).toBe("/v1/chat/completions");
  });

  test("accepts a dummy in each header that the service reads", () => {
    const target = "/v1/messages";
    expect(admitRequest({ target, rawHeaders: [...HOST_HEADER, "X-API-Key", anthropic.dummy] })).toBe(target);
    expect(admitRequest({ target, rawHeaders: [...HOST_HEADER, "Authorization", `Bearer ${anthropic.dummy}`] })).toBe(
      target,
    );
  });
});

describe("the broker decides by a request's path and", () => {
  const headers = [...HOST_HEADER, "x-api-key", anthropic.dummy];

  test.each([
    ["/messages", "/v1/messages"],
    ["/v1/messages", "/v1/messages"],
    ["/v1beta/messages", "/v1/v1beta/messages"],
    ["/?x", "/v1/?x"],
  ])("adds the prefix of the service to %s if the client left it out: %s", (target, expected) => {
    expect(admitRequest({ target, rawHeaders: headers })).toBe(expected);
  });

  test.each([
    ["/v1/organizations", "broker-denied"],
    ["/organizations/x", "broker-denied"],
    ["/v1/Organizations/", "broker-denied"],
    ["/v1/organizations/api_keys?a", "broker-denied"],
    // The service has no such path, because the names of its paths are in lower case.
    ["/V1/organizations", "/v1/V1/organizations"],
  ])("judges %s by the rules with and without its prefix: %s", (target, expected) => {
    expect(admitRequest({ target, rawHeaders: headers })).toBe(expected);
  });

  test.each(["/v1//chat", "/v1/../v1/chat", "/v1/%6frganization/x", "/v1%2f%2e", "/v1\\organization"])(
    "refuses the ambiguous path %s",
    (target) => expect(admitRequest({ target })).toBe("broker-request"),
  );

  test("admits a path with %2F only if the rules allow both readings: as a character and as a slash", () => {
    expect(admitRequest({ target: "/v1/models/a%2Fb?x=%2F" })).toBe("/v1/models/a%2Fb?x=%2F");
    expect(admitRequest({ target: "/v1%2forganization" })).toBe("broker-denied");
    const rawHeaders = [...HOST_HEADER, "Authorization", `Bearer ${search.dummy}`];
    expect(admitRequest({ method: "GET", target: "/v2/documents/a%2Fb", rawHeaders })).toBe("/v2/documents/a%2Fb");
    expect(admitRequest({ method: "GET", target: "/v2%2Fdocuments/a", rawHeaders })).toBe("broker-denied");
    expect(admitRequest({ target: "/v1%2Fmessages", rawHeaders: [...HOST_HEADER, "x-api-key", anthropic.dummy] })).toBe(
      "broker-request",
    );
  });

  test.each([
    ["POST", "/v2/query", "/v2/query"],
    ["GET", "/v2/query", "broker-denied"],
    ["GET", "/v2/documents/a/b", "/v2/documents/a/b"],
    ["POST", "/v2/keys", "broker-denied"],
  ])("admits only the allowed paths if the key has a list of them: %s %s", (method, target, expected) => {
    const rawHeaders = [...HOST_HEADER, "Authorization", `Bearer ${search.dummy}`];
    expect(admitRequest({ method, target, rawHeaders })).toBe(expected);
  });

  test.each(["X-HTTP-Method-Override", "x-original-url"])(
    "denies a request whose header %s could replace its method or path",
    (name) => {
      expect(admitRequest({ rawHeaders: [...HOST_HEADER, ...KEY_HEADER, name, "DELETE"] })).toBe("broker-denied");
    },
  );
});

describe("a request to a service behind a gateway", () => {
  const gateway = { ...openai, path: "/openai/v1", servicePath: "/v1" };
  const claude = { ...anthropic, path: "/anthropic/v1" };
  const admitThroughGateway = createAdmission([gateway, claude], OWN_ADDRESS);

  test.each([
    ["/openai/v1/chat/completions", "/openai/v1/chat/completions"],
    ["/openai/v1/organization/x", "broker-denied"],
    ["/v1/chat/completions", "broker-denied"],
    ["/openai/v1x/chat", "broker-denied"],
    ["/openai/v1/../../v1/organization/x", "broker-request"],
  ])("for %s is judged without the gateway's path: %s", (target, expected) => {
    const outcome = admitThroughGateway({
      method: "POST",
      version: "1.1",
      target,
      rawHeaders: [...HOST_HEADER, ...KEY_HEADER],
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
  ])("whose address servers can read in two ways, for %s, gets %s", (target, expected) => {
    const behind = createAdmission([{ ...openai, path: "/to/https%3A%2F%2Fapi//v1", servicePath: "/v1" }], OWN_ADDRESS);
    const outcome = behind({
      method: "POST",
      version: "1.1",
      target,
      rawHeaders: [...HOST_HEADER, ...KEY_HEADER],
      isUpgrade: false,
    });
    expect("code" in outcome ? outcome.code : outcome.target).toBe(expected);
  });

  test("does not get the prefix twice if the gateway's address ends with it", () => {
    const rawHeaders = [...HOST_HEADER, "x-api-key", claude.dummy];
    const askThrough = (target: string) =>
      admitThroughGateway({ method: "POST", version: "1.1", target, rawHeaders, isUpgrade: false });
    expect(askThrough("/anthropic/v1/messages")).toMatchObject({ target: "/anthropic/v1/messages" });
    expect(askThrough("/anthropic/v1/organizations")).toMatchObject({ code: "broker-denied" });
  });
});

describe("a request for an upgrade", () => {
  test.each([
    ["an upgrade to websocket", "GET", ["Upgrade", "WebSocket"], "/v1/chat/completions"],
    ["an upgrade to another protocol", "GET", ["Upgrade", "h2c"], "broker-request"],
    ["an upgrade to a choice of protocols", "GET", ["Upgrade", "websocket, h2c"], "broker-request"],
    ["two Upgrade headers", "GET", ["Upgrade", "websocket", "Upgrade", "h2c"], "broker-request"],
    ["an upgrade of a POST", "POST", ["Upgrade", "websocket"], "broker-request"],
    ["an upgrade with a body", "GET", ["Upgrade", "websocket", "Content-Length", "1"], "broker-request"],
  ])("is admitted only as a plain handshake for a WebSocket; this one is %s", (_, method, headers, expected) => {
    expect(admitRequest({ method, rawHeaders: [...HOST_HEADER, ...KEY_HEADER, ...headers], isUpgrade: true })).toBe(
      expected,
    );
  });
});

describe("a request to GitHub, which has several hosts,", () => {
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
    {
      valueOf: () => undefined,
      callerSource: "caller",
      contract: { path: "c.json", isNamed: false },
      allowedOrigins: [],
    },
  );
  if ("kind" in planned) throw new TypeError(planned.kind);
  const routes = [planned.route, openai];
  const basic = (text: string): readonly [string, string] => ["Authorization", `Basic ${btoa(text)}`];
  const GIT_KEY_HEADER = basic(`x-access-token:${dummy}`);
  const GITHUB_HOST_HEADER = ["Host", "github.com"] as const;
  const GIT_URL = "http://github.com/acme/app.git/info/refs";

  function admitGithubRequest(target: string, rawHeaders: readonly string[], own: BrokerAddress = OWN_ADDRESS): string {
    const outcome = createAdmission(
      routes,
      own,
    )({ method: "GET", version: "1.1", target, rawHeaders, isUpgrade: false });
    return "code" in outcome ? outcome.code : `${outcome.origin} ${outcome.target} (${outcome.clientAddress})`;
  }

  test.each([
    [
      "git's request",
      GIT_URL,
      [...GITHUB_HOST_HEADER, ...GIT_KEY_HEADER],
      "https://github.com /acme/app.git/info/refs (http://github.com)",
    ],
    [
      "another user name",
      GIT_URL,
      [...GITHUB_HOST_HEADER, ...basic(`u:${dummy}`)],
      "https://github.com /acme/app.git/info/refs (http://github.com)",
    ],
    [
      "capitals",
      GIT_URL.replace("github", "GitHub"),
      ["host", "GITHUB.COM", ...GIT_KEY_HEADER],
      "https://github.com /acme/app.git/info/refs (http://github.com)",
    ],
    ["another Host", GIT_URL, [...HOST_HEADER, ...GIT_KEY_HEADER], "broker-request"],
    ["two Host", GIT_URL, [...GITHUB_HOST_HEADER, ...GITHUB_HOST_HEADER, ...GIT_KEY_HEADER], "broker-request"],
    ["no Host", GIT_URL, GIT_KEY_HEADER, "broker-request"],
    ["another host", "http://evil.test/acme/app.git/x", ["Host", "evil.test", ...GIT_KEY_HEADER], "broker-request"],
    [
      "a host that is not git's",
      "http://api.github.com/repos/acme/app",
      ["Host", "api.github.com", ...GIT_KEY_HEADER],
      "broker-request",
    ],
    ["a port", "http://github.com:80/acme/app.git/x", ["Host", "github.com:80", ...GIT_KEY_HEADER], "broker-request"],
    ["a user", "http://u@github.com/acme/app.git/x", [...GITHUB_HOST_HEADER, ...GIT_KEY_HEADER], "broker-request"],
    ["https", "https://github.com/acme/app.git/x", [...GITHUB_HOST_HEADER, ...GIT_KEY_HEADER], "broker-request"],
    ["no path", "http://github.com", [...GITHUB_HOST_HEADER, ...GIT_KEY_HEADER], "broker-request"],
    ["a fragment", `${GIT_URL}#x`, [...GITHUB_HOST_HEADER, ...GIT_KEY_HEADER], "broker-request"],
    ["a web page", GIT_URL, [...GITHUB_HOST_HEADER, ...GIT_KEY_HEADER, "Origin", "null"], "broker-denied"],
    [
      "another repository",
      "http://github.com/acme/other.git/info/refs",
      [...GITHUB_HOST_HEADER, ...GIT_KEY_HEADER],
      "broker-denied",
    ],
    [
      "dot segments",
      "http://github.com/acme/app.git/../x",
      [...GITHUB_HOST_HEADER, ...GIT_KEY_HEADER],
      "broker-request",
    ],
    ["another key", GIT_URL, [...GITHUB_HOST_HEADER, ...KEY_HEADER], "broker-denied"],
    ["no key", GIT_URL, GITHUB_HOST_HEADER, "broker-key"],
  ])("is admitted in absolute form only as git sends it: %s", (_, target, headers, expected) => {
    expect(admitGithubRequest(target, headers)).toBe(expected);
  });

  const API_ADDRESS = `http://127.0.0.1:${PORT}/api.github.com`;
  test.each([
    ["/api.github.com/repos/acme/app?x=/", `https://api.github.com /repos/acme/app?x=/ (${API_ADDRESS})`],
    ["/api.github.com/user", `https://api.github.com /user (${API_ADDRESS})`],
    ["/uploads.github.com/repos/acme/app", "broker-denied"],
    ["/github.com/acme/app.git/x", `https://github.com /acme/app.git/x (${API_ADDRESS.replace("api.", "")})`],
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
      `https://api.github.com /repos/acme/app/git/ref/heads%2Fmain (${API_ADDRESS})`,
    ],
    ["/api.github.com/repos/acme%2fapp/keys", "broker-denied"],
    ["/api.github.com/repos%2Facme/app", "broker-denied"],
    ["/api.github.com/repos/acme/x%2F..%2Fy", "broker-request"],
    ["/api.github.com/repos/acme/x%2F%2Fy", "broker-request"],
    ["/api.github.com/user%2Fkeys", "broker-denied"],
  ])("to an address from GitHub's variables, %s, gets %s", (target, expected) => {
    expect(admitGithubRequest(target, [...HOST_HEADER, "Authorization", `token ${dummy}`])).toBe(expected);
    expect(admitGithubRequest(target, [...HOST_HEADER, "Authorization", `Bearer ${dummy}`])).toBe(expected);
    expect(admitGithubRequest(target, [...HOST_HEADER, ...basic(`me:${dummy}`)])).toBe(expected);
  });

  test.each([
    ["as the user name", basic(`${dummy}:x`), "broker-denied"],
    ["as both", basic(`${dummy}:${dummy}`), "broker-denied"],
    ["with text behind it", basic(`u:${dummy}:x`), "broker-denied"],
    ["in base64 that servers decode differently", ["Authorization", `${GIT_KEY_HEADER[1]}=`], "broker-denied"],
    ["also as Bearer", [...GIT_KEY_HEADER, "Authorization", `Bearer ${dummy}`], "broker-denied"],
    ["twice", [...GIT_KEY_HEADER, ...GIT_KEY_HEADER], "broker-denied"],
    ["also in another header", [...GIT_KEY_HEADER, "X-Log", dummy], "broker-denied"],
    ["beside another key", [...GIT_KEY_HEADER, "X-Log", openai.dummy], "broker-denied"],
    ["of a key that is no password", basic(`u:${openai.dummy}`), "broker-denied"],
    ["that is unknown", basic("u:ghp_sophia-zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"), "broker-key"],
  ])("is judged by its Basic credentials, with the dummy %s", (_, headers, expected) => {
    expect(admitGithubRequest(GIT_URL, [...GITHUB_HOST_HEADER, ...headers])).toBe(expected);
  });

  const SOCKET_ADDRESS: BrokerAddress = { origin: "http://localhost", acceptedHosts: ["localhost"], isSocket: true };
  test.each([
    ["api.github.com", "/user", "https://api.github.com /user (https://api.github.com)"],
    ["API.GitHub.com", "/user", "https://api.github.com /user (https://api.github.com)"],
    ["uploads.github.com", "/user/x", "https://uploads.github.com /user/x (https://uploads.github.com)"],
    ["github.com", "/acme/app.git/x", "https://github.com /acme/app.git/x (https://github.com)"],
    ["localhost", "/api.github.com/user", "https://api.github.com /user (http://localhost/api.github.com)"],
    ["evil.test", "/user", "broker-denied"],
    ["api.example.test", "/user", "broker-denied"],
  ])("on a socket is judged by its Host header: %s", (host, target, expected) => {
    expect(admitGithubRequest(target, ["Host", host, "Authorization", `token ${dummy}`], SOCKET_ADDRESS)).toBe(
      expected,
    );
    expect(admitGithubRequest(target, ["Host", host, "Authorization", `token ${dummy}`])).toBe("broker-denied");
  });

  test("on a socket, each other key is admitted for its own host alone", () => {
    const keyed = (host: string): string =>
      admitGithubRequest("/v1/models", ["Host", host, ...KEY_HEADER], SOCKET_ADDRESS);
    expect(keyed("api.example.test")).toBe("https://api.example.test /v1/models (https://api.example.test)");
    expect(keyed("localhost")).toBe("https://api.example.test /v1/models (http://localhost)");
    expect(keyed("api.github.com")).toBe("broker-denied");
  });
});
