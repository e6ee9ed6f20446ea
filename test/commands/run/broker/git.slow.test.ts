/** git through the broker: real git, against git's own server for GitHub's names. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { noCertificates } from "../../../helpers/certificates.ts";
import { notInstalled, skipBecause } from "../../../helpers/skip.ts";
import { parseEnvironment, folder, unwrapLines } from "../../../helpers/sophia.ts";
import { AUTHOR, runBroker, type Github, createRepository, runCommand, startGithub, TOKEN } from "./github.ts";

skipBecause(notInstalled("git", "--version") ?? noCertificates);
const noCurl = notInstalled("curl", "--version");

const COMMIT = `git ${AUTHOR.join(" ")} commit --quiet`;

/** Each request had the token as the password of Basic credentials, and came over TLS by the caller's proxy. */
function expectAuthorized({ upstream, proxy }: Github): void {
  const expected = `Basic ${Buffer.from(`x-access-token:${TOKEN}`).toString("base64")}`;
  expect(upstream.requests.length).toBeGreaterThan(0);
  expect([...new Set(upstream.requests.map(({ headers }) => headers.authorization))]).toEqual([expected]);
  expect(new Set(proxy.requests.map(({ kind, target }) => `${kind} ${target}`))).toEqual(
    new Set(["tunnel github.com:443"]),
  );
}

test("git clones, fetches and pushes through the broker without the token, and no file of the repository names the broker", async () => {
  const github = await startGithub();
  const from = createRepository(github, "acme/app.git");
  const result = await runBroker(github, {
    script: `
      git clone --quiet https://github.com/acme/app.git app
      cd app
      echo b > b.txt
      git add b.txt
      ${COMMIT} -m second
      git push --quiet origin main
      git fetch --quiet origin
      git remote get-url origin >&2
      git config --get remote.origin.url
      env`,
  });
  expect(result.stderr).toBe("http://github.com/acme/app.git\n");
  expect(result.status).toBe(0);
  expect(result.stdout).toMatch(/^https:\/\/github\.com\/acme\/app\.git\n/);
  expect(result.stdout).not.toContain(TOKEN);
  expect(Buffer.from(result.stdout).toString("base64")).not.toContain(TOKEN);
  const { GITHUB_PAT = "" } = parseEnvironment(result.stdout);
  expect(GITHUB_PAT).toMatch(/^ghp_sophia-\w{32}$/);
  expect(readFileSync(join(result.cwd, "app/.git/config"), "utf8")).not.toMatch(/127\.0\.0\.1|http:|sophia/);
  expect(runCommand("git", ["-C", join(github.repositories, "acme/app.git"), "log", "--format=%s", "main"], from)).toBe(
    "second\nfirst\n",
  );
  expectAuthorized(github);
});

test("git uses the broker for remotes in the form of ssh, and for submodules", async () => {
  const github = await startGithub();
  createRepository(github, "acme/part.git", { "a.txt": "part" });
  const from = createRepository(github, "acme/app.git");
  const url = "git@github.com:acme/part.git";
  const modules = `[submodule "part"]\n\tpath = part\n\turl = ${url}\n`;
  const part = join(github.repositories, "acme/part.git");
  const commit = runCommand("git", ["-C", part, "rev-parse", "main"], from).trim();
  runCommand("sh", ["-ec", `printf '%s' '${modules}' > .gitmodules; git add .gitmodules`], from);
  runCommand("git", ["update-index", "--add", "--cacheinfo", `160000,${commit},part`], from);
  runCommand("git", [...AUTHOR, "commit", "--quiet", "-m", "submodule"], from);
  runCommand("git", ["push", "--quiet", join(github.repositories, "acme/app.git"), "main"], from);
  const result = await runBroker(github, {
    script: `
      git clone --quiet --recurse-submodules ssh://git@github.com/acme/app.git app 2>/dev/null
      cat app/part/a.txt`,
  });
  expect([result.stderr, result.status, result.stdout]).toEqual(["", 0, "part"]);
  expectAuthorized(github);
});

test(`"ssh": false leaves remotes in the form of ssh to ssh`, async () => {
  const github = await startGithub();
  const script = `
    git ls-remote git@github.com:acme/app.git || true
    git config --get-all url.http://github.com/.insteadOf`;
  const result = await runBroker(github, {
    broker: { ssh: false },
    script,
    env: { GIT_SSH_COMMAND: "echo ssh >&2; false" },
  });
  expect(result.stderr).toMatch(/^ssh\n/);
  expect(result.stdout).toBe("https://github.com/\n");
  expect(github.requestLines()).toEqual([]);
});

test("the settings of git that the caller has set by variables stay, and those of sophia-run follow", async () => {
  const github = await startGithub();
  const { stdout } = await runBroker(github, {
    script: "git config --get user.name; env",
    env: { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "user.name", GIT_CONFIG_VALUE_0: "Caller" },
  });
  expect(stdout).toMatch(/^Caller\n/);
  expect(parseEnvironment(stdout)).toMatchObject({
    GIT_CONFIG_COUNT: "7",
    GIT_CONFIG_KEY_1: "url.http://github.com/.insteadOf",
    GIT_CONFIG_VALUE_1: "https://github.com/",
    GIT_CONFIG_KEY_4: "http.http://github.com/.proxy",
  });
});

test("git gets the preferred one of several tokens, and their dummies differ", async () => {
  const github = await startGithub();
  createRepository(github, "acme/app.git");
  const names = ["GH_TOKEN", "GITHUB_TOKEN", "GITHUB_PAT", "GH_FINE_GRAINED_TOKEN"];
  const contract = JSON.stringify({ variables: Object.fromEntries(names.map((name) => [name, { broker: true }])) });
  const { stdout, stderr, status } = await runBroker(github, {
    script: "git ls-remote --quiet https://github.com/acme/app.git >&2; env",
    files: { "all.contract.json": contract },
    options: ["--contract", "all.contract.json"],
    env: { GH_TOKEN: "1-unused", GITHUB_TOKEN: "2-unused", GITHUB_PAT: "3-unused", GH_FINE_GRAINED_TOKEN: TOKEN },
  });
  expect([status, stderr]).toEqual([0, expect.stringMatching(/^[\da-f]{40}\tHEAD\n/)]);
  const environment = parseEnvironment(stdout);
  const dummies = names.map((name) => environment[name]);
  expect(new Set(dummies).size).toBe(4);
  for (const dummy of dummies) expect(dummy).toMatch(/^sophia-\w{32}$/);
  expect(environment["GITHUB_API_URL"]).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/api\.github\.com$/);
  expectAuthorized(github);
});

test.each([
  [
    "an entry with a dot at its end",
    "a.test,localhost.",
    "NO_PROXY of the program is without localhost.",
    "a.test,127.0.0.1 proxy",
  ],
  ["an entry", "a.test,.localhost", "NO_PROXY of the program is without .localhost", "a.test,127.0.0.1 proxy"],
  ["all hosts", "*", "the program gets no NO_PROXY=* and no proxy", "unset unset"],
])("NO_PROXY does not keep git from the broker: %s", async (_, list, notice, left) => {
  const github = await startGithub();
  createRepository(github, "acme/app.git");
  const origin = github.upstream.origin.replace("127.0.0.1", "localhost");
  const result = await runBroker(github, {
    broker: { upstream: origin },
    script: `
      git ls-remote --quiet ${origin}/acme/app.git
      echo "\${NO_PROXY-unset} \${HTTPS_PROXY-unset}"`,
    env: { NO_PROXY: list },
  });
  expect(unwrapLines(result.stderr)).toContain(notice);
  expect(result.stdout).toMatch(/^[\da-f]{40}\tHEAD\n/);
  expect(result.stdout.trim().split("\n").at(-1)?.replace(github.proxy.url, "proxy")).toBe(left);
});

test("a notice names a setting of the user that comes before sophia-run's", async () => {
  const github = await startGithub();
  const result = await runBroker(github, {
    files: { ".gitconfig": '[url "git@github.com:"]\n\tinsteadOf = https://github.com/\n' },
    script: "git ls-remote https://github.com/acme/app.git || true",
    env: { GIT_SSH_COMMAND: "echo ssh >&2; false" },
  });
  expect(unwrapLines(result.stderr)).toContain(
    "git goes from https://github.com/ to git@github.com: by a setting of the user (insteadOf), without the broker",
  );
  expect(result.stderr).toContain("\nssh\n");
  expect(github.requestLines()).toEqual([]);
});

test("the notice about a setting of the user does not contain a token in it", async () => {
  const github = await startGithub();
  const { stderr } = await runBroker(github, {
    files: { ".gitconfig": '[url "https://me:secret-in-git@github.com/"]\n\tinsteadOf = https://github.com/\n' },
    script: "true",
  });
  expect(unwrapLines(stderr)).toContain("git goes from https://github.com/ to https://***@github.com/ by a setting");
  expect(stderr).not.toContain("secret-in-git");
});

test("git is asked for settings without the token", async () => {
  const github = await startGithub();
  const place = folder({});
  const real = (process.env["PATH"] ?? "").split(":").find((path) => existsSync(join(path, "git")));
  const script = `#!/bin/sh\nenv >>${place}/seen\nexec ${real}/git "$@"\n`;
  writeFileSync(join(place, "git"), script, { mode: 0o755 });
  const { status } = await runBroker(github, { script: "true", env: { PATH: `${place}:${process.env["PATH"]}` } });
  const seen = readFileSync(join(place, "seen"), "utf8");
  expect(status).toBe(0);
  expect(parseEnvironment(seen)).toMatchObject({ HOME: expect.any(String) });
  expect(seen).not.toContain(TOKEN);
});

test("rules name host and path: the broker refuses a push elsewhere", async () => {
  const github = await startGithub();
  createRepository(github, "acme/app.git");
  createRepository(github, "acme/other.git");
  const result = await runBroker(github, {
    broker: { allow: ["github.com: * /acme/app.git/**", "api.github.com: GET /repos/acme/**"] },
    script: `
      git ls-remote --quiet https://github.com/acme/app.git >/dev/null
      git ls-remote --quiet https://github.com/acme/other.git`,
  });
  expect(result.status).toBe(128);
  expect(result.stderr).toContain("403");
  expect(github.requestLines()).toEqual([
    "github.com GET /acme/app.git/info/refs?service=git-upload-pack",
    "github.com POST /acme/app.git/git-upload-pack",
  ]);
});

test("git and the API of a GitHub Enterprise Server are brokered below one host", async ({ skip }) => {
  skip(noCurl !== undefined, noCurl);
  const github = await startGithub();
  createRepository(github, "acme/app.git");
  const { stdout, stderr, status } = await runBroker(github, {
    broker: { upstream: "https://github.acme.test" },
    script: `
      git ls-remote --quiet git@github.acme.test:acme/app.git >&2
      curl -sS -H "Authorization: token $GITHUB_PAT" "$GITHUB_API_URL/repos/acme/app"
      curl -sS -o /dev/null -w '%{http_code}' -H "Authorization: token $GITHUB_PAT" "$GITHUB_API_URL/user/keys"
      echo " $GITHUB_GRAPHQL_URL"`,
  });
  expect([status, stderr]).toEqual([0, expect.stringMatching(/^[\da-f]{40}\tHEAD\n/)]);
  expect(stdout).toMatch(/^\{\}403 http:\/\/127\.0\.0\.1:\d+\/github\.acme\.test\/api\/graphql\n$/);
  expect(github.requestLines().at(-1)).toBe("github.acme.test GET /api/v3/repos/acme/app");
});

test("the other variables of GitHub's API point to GitHub, and addresses in answers to the broker", async ({
  skip,
}) => {
  skip(noCurl !== undefined, noCurl);
  const next = "https://api.github.com/repositories/1/issues?page=2";
  const github = await startGithub((_, response) => {
    response.setHeader("link", `<${next}>; rel="next"`);
    response.end("[]");
  });
  const { stdout, status } = await runBroker(github, {
    script: `
      curl -sS -i -H "Authorization: Bearer $GITHUB_PAT" "$GITHUB_API_URL/repos/acme/app/git/ref/heads%2Fmain"
      echo
      curl -sS -H "Authorization: bearer $GITHUB_PAT" -d '{}' "$GITHUB_GRAPHQL_URL"
      curl -sS -u "me:$GITHUB_PAT" "$GITHUB_API_URL/user"
      curl -sS -o /dev/null -w '%{http_code}\\n' -u "me:$GITHUB_PAT" "$GITHUB_API_URL/user%2Fkeys"
      echo "$GITHUB_API_URL"`,
  });
  expect(status).toBe(0);
  const address = stdout.trim().split("\n").at(-1) ?? "";
  expect(stdout).toContain(`<${next.replace("https://api.github.com", address)}>; rel="next"`);
  expect(stdout).toContain("403\n");
  expect(github.requestLines()).toEqual([
    "api.github.com GET /repos/acme/app/git/ref/heads%2Fmain",
    "api.github.com POST /graphql",
    "api.github.com GET /user",
  ]);
});
