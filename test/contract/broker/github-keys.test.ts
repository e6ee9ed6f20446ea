/** Where the web pages, the API and the uploads of each kind of GitHub are, and which rules hold there. */
import { expect, test } from "vitest";
import {
  GITHUB,
  createApiPath,
  findWebOrigin,
  listSites,
  translateRules,
} from "../../../src/contract/broker/github-keys.ts";
import { isDenied, parseRule, parseRules } from "../../../src/contract/broker/path-rules.ts";

test("github.com and a customer's part of it have separate hosts for the API and uploads, and git uses only the first", () => {
  expect(listSites("https://github.com")).toEqual([
    { host: "github.com", origin: "https://github.com", hasGit: true },
    { host: "api.github.com", origin: "https://api.github.com", hasGit: false },
    { host: "uploads.github.com", origin: "https://uploads.github.com", hasGit: false },
  ]);
  expect(listSites("https://acme-1.ghe.com")).toEqual([
    { host: "acme-1.ghe.com", origin: "https://acme-1.ghe.com", hasGit: true },
    { host: "api.acme-1.ghe.com", origin: "https://api.acme-1.ghe.com", hasGit: false },
    { host: "uploads.acme-1.ghe.com", origin: "https://uploads.acme-1.ghe.com", hasGit: false },
  ]);
});

test.each([
  "https://ghe.example.com:8443",
  "http://github.com",
  "https://github.com:8443",
  "https://github.com.example.com",
  "https://ghe.com",
  "https://a.b.ghe.com",
  "https://mygithub.com",
])("the server %s has one host for all", (origin) => {
  expect(listSites(origin)).toEqual([{ host: new URL(origin).host, origin, hasGit: true }]);
});

test.each([
  ["https://api.github.com", undefined, "https://github.com"],
  ["https://api.github.com//", "GITHUB_API_URL", "https://github.com"],
  ["https://api.github.com/graphql", "GITHUB_GRAPHQL_URL", "https://github.com"],
  ["https://api.github.com/graphql/x", undefined, undefined],
  ["https://api.github.com/x/graphql", undefined, undefined],
  ["https://api.github.com/api/v3", "GITHUB_API_URL", undefined],
  ["https://api.acme-1.ghe.com/", undefined, "https://acme-1.ghe.com"],
  // These look like the public service, but are other servers.
  ["http://api.github.com", undefined, "http://api.github.com"],
  ["https://api.github.com.example.com", undefined, "https://api.github.com.example.com"],
  ["https://api.github.com:8443", undefined, "https://api.github.com:8443"],
  ["https://api-github.com", undefined, "https://api-github.com"],
  ["https://github.com", undefined, "https://github.com"],
  ["https://ghe.example.com", undefined, "https://ghe.example.com"],
  ["https://ghe.example.com/api/v3//", "GITHUB_API_URL", "https://ghe.example.com"],
  ["https://ghe.example.com/api/graphql", "GITHUB_GRAPHQL_URL", "https://ghe.example.com"],
  ["https://ghe.example.com/api/graphql", "GITHUB_API_URL", undefined],
  ["https://ghe.example.com//api/v3", "GITHUB_API_URL", undefined],
  ["https://ghe.example.com/api/v3", undefined, undefined],
  ["https://ghe.example.com/other", "OTHER", undefined],
])("the API at %s, of the variable %s, has its web pages at %s", (address, variable, origin) => {
  expect(findWebOrigin(new URL(address), variable)).toBe(origin);
});

test.each([
  ["GITHUB_API_URL", "/api.github.com", "https://github.com", "/api.github.com"],
  ["GITHUB_API_URL", "/api.github.com", "https://acme.ghe.com", "/api.acme.ghe.com"],
  ["GITHUB_GRAPHQL_URL", "/api.github.com/graphql", "https://acme.ghe.com", "/api.acme.ghe.com/graphql"],
  ["GITHUB_API_URL", "/api.github.com", "https://ghe.example.com:8443", "/ghe.example.com:8443/api/v3"],
  ["GITHUB_GRAPHQL_URL", "/api.github.com/graphql", "https://ghe.example.com", "/ghe.example.com/api/graphql"],
  ["GH_HOST", "/github.com", "https://ghe.example.com", "/github.com"],
])("the variable %s with %s gets, for %s, the path %s", (variable, githubPath, origin, path) => {
  expect(createApiPath(variable, githubPath, origin)).toBe(path);
});

test.each([
  [
    "https://github.com",
    ["github.com: GET /a/b", "api.github.com: * /repos/*", "uploads.github.com: POST /**", "other.example: GET /x"],
  ],
  [
    "https://acme.ghe.com",
    [
      "acme.ghe.com: GET /a/b",
      "api.acme.ghe.com: * /repos/*",
      "uploads.acme.ghe.com: POST /**",
      "other.example: GET /x",
    ],
  ],
  [
    "https://ghe.example.com:8443",
    [
      "ghe.example.com:8443: GET /a/b",
      "ghe.example.com:8443: * /api/v3/repos/*",
      "ghe.example.com:8443: POST /api/uploads/**",
      "other.example: GET /x",
    ],
  ],
])("rules for the public service hold for %s at its hosts and paths", (origin, expected) => {
  const texts = ["github.com: GET /a/b", "api.github.com: * /repos/*", "uploads.github.com: POST /**"];
  const rules = [...texts, "other.example: GET /x"].flatMap((text) => parseRule(text) ?? []);
  expect(rules).toHaveLength(4);
  const translated = translateRules(rules, origin);
  expect(translated.map(({ text }) => text)).toEqual(expected);
  expect(translated).toEqual(expected.flatMap((text) => parseRule(text) ?? []));
});

test("a rule that names no host is for every kind of GitHub", () => {
  const rules = [parseRule("GET /a")].flatMap((rule) => rule ?? []);
  expect(translateRules(rules, "https://ghe.example.com")).toEqual(rules);
});

test.each([
  ...[
    "actions/runners",
    "actions/secrets",
    "codespaces/secrets",
    "dependabot/secrets",
    "environments/e/secrets",
  ].flatMap((path) => [`/repos/o/r/${path}`, `/repositories/1/${path}`]),
  ...["hooks", "keys"].flatMap((path) => [`/repos/o/r/${path}`, `/repositories/1/${path}/2`]),
  ...[
    "actions/runners",
    "actions/secrets",
    "codespaces/secrets",
    "credential-authorizations",
    "dependabot/secrets",
    "hooks",
    "personal-access-token-requests",
    "personal-access-tokens",
    "private-registries",
  ].flatMap((path) => [`/orgs/o/${path}`, `/organizations/1/${path}`]),
  "/admin/users",
  "/app/hook/config",
  "/app/installations/1/access_tokens",
  "/app-manifests/x/conversions",
  "/applications/x/token",
  "/authorizations",
  "/enterprises/e/actions/runners",
  "/installation/token",
  "/user/codespaces/secrets",
  "/user/gpg_keys",
  "/user/keys",
  "/user/ssh_signing_keys",
])("a token of GitHub cannot reach %s, where a program could create another credential", (path) => {
  const rules = parseRules(GITHUB.deny);
  expect(["GET", "POST"].map((method) => isDenied(rules, { host: "api.github.com", method, path }))).toEqual([
    true,
    true,
  ]);
});

test.each(["/", "/user", "/repos/o/r", "/repos/o/r/actions/runs", "/orgs/o/repos", "/app", "/enterprises/e"])(
  "a token of GitHub can reach %s",
  (path) => {
    expect(isDenied(parseRules(GITHUB.deny), { host: "api.github.com", method: "GET", path })).toBe(false);
  },
);
