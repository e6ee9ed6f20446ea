/** gh and other clients of GitHub's API, by the broker's socket. */
import { existsSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { fieldsOf } from "../../../../src/esc/transport/answer.ts";
import type { ReceivedRequest } from "../../../broker/upstream.ts";
import { noCertificates } from "../../../helpers/certificates.ts";
import { notInstalled, skipBecause } from "../../../helpers/skip.ts";
import { parseEnvironment, folder, unwrapLines } from "../../../helpers/sophia.ts";
import { ASSETS, runBroker, runCommand, startGithub, TOKEN } from "./github.ts";

skipBecause(noCertificates);

const ASSET = `https://${ASSETS}/asset/1?X-Signature=a%2Fb&x=1`;

/** The parts of GitHub's API that gh asks for. */
function answer(request: IncomingMessage, response: ServerResponse, received: ReceivedRequest): void {
  const { headers, method, url = "" } = request;
  const json = (value: unknown, status = 200): void => {
    response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(value));
  };
  request.resume();
  request.on("end", () => {
    if (headers.host === ASSETS) return void response.end("the asset");
    const asset = { name: "a.txt", url: "https://api.github.com/repos/acme/app/releases/assets/1", size: 9 };
    if (url.startsWith("/repos/acme/app/releases/assets/1"))
      return void response.writeHead(302, { location: ASSET }).end();
    if (method === "POST" && url.startsWith("/repos/acme/app/releases/1/assets")) return json(asset, 201);
    if (url.startsWith("/repos/acme/app/releases/")) {
      const upload = "https://uploads.github.com/repos/acme/app/releases/1/assets{?name,label}";
      return json({ id: 1, tag_name: "v1", upload_url: upload, assets: [asset] });
    }
    if (url === "/graphql") {
      const isViewer = received.body.includes("viewer");
      return json({ data: isViewer ? { viewer: { login: "octo" } } : { repository: { release: null } } });
    }
    json({ login: "octo" });
  });
}

test("gh uses the socket, follows to other hosts without the token, and keeps the user's settings", async (context) => {
  const reason = notInstalled("gh", "--version");
  context.skip(reason !== undefined, reason);
  const github = await startGithub(answer);
  const userConfigFolder = folder({
    "config.yml": "editor: my-editor\nhttp_unix_socket: /nowhere\naliases:\n    who: api user --jq .login\n",
    "hosts.yml": "github.com:\n    oauth_token: other-token\n",
  });
  const result = await runBroker(github, {
    files: { "b.txt": "upload" },
    env: { GH_PROMPT_DISABLED: "1", GH_CONFIG_DIR: userConfigFolder },
    script: `
      gh who
      gh config get editor
      gh api graphql -f query='{viewer{login}}' --jq .data.viewer.login
      gh release download v1 --repo acme/app --pattern a.txt --output got.txt
      cat got.txt
      echo
      gh release upload v1 b.txt --repo acme/app >/dev/null
      gh api --include user/keys >keys.txt 2>&1 || true
      grep -o broker-denied keys.txt
      ls "$GH_CONFIG_DIR"
      env`,
  });
  expect([result.status, result.stderr]).toEqual([0, ""]);
  expect(result.stdout).toMatch(/^octo\nmy-editor\nocto\nthe asset\nbroker-denied\nconfig\.yml\ngh\.sock\n/);
  expect(result.stdout).not.toContain(TOKEN);
  const { GH_CONFIG_DIR = "", GH_TOKEN, GITHUB_PAT } = parseEnvironment(result.stdout);
  expect(GH_TOKEN).toBe(GITHUB_PAT);
  expect(existsSync(GH_CONFIG_DIR)).toBe(false);
  const requestLines = github.requestLines().map((line) => line.replace(/\?.*/, ""));
  expect(requestLines).toEqual(
    expect.arrayContaining([
      "api.github.com GET /user",
      "api.github.com POST /graphql",
      "api.github.com GET /repos/acme/app/releases/assets/1",
      `${ASSETS} GET /asset/1`,
      "uploads.github.com POST /repos/acme/app/releases/1/assets",
    ]),
  );
  for (const { headers, rawHeaders } of github.upstream.requests) {
    const expected = headers.host === ASSETS ? undefined : `token ${TOKEN}`;
    expect(headers.authorization).toBe(expected);
    expect(rawHeaders.join("\n")).not.toContain("sophia-");
  }
});

/** Asks by the socket that the configuration of gh names. */
const ASK = `ask() { curl -sS --unix-socket "$(sed -n 's/^http_unix_socket: "\\(.*\\)"$/\\1/p' "$GH_CONFIG_DIR/config.yml")" "$@"; }`;

test("the socket belongs to the user, and other hosts get nothing that no answer has named", async ({ skip }) => {
  const noCurl = notInstalled("curl", "--version");
  skip(noCurl !== undefined, noCurl);
  const github = await startGithub(answer);
  const result = await runBroker(github, {
    script: `
      ${ASK}
      stat -c '%a %F' "$GH_CONFIG_DIR" "$GH_CONFIG_DIR"/*
      ask -o /dev/null -w '%{http_code}\\n' "http://${ASSETS}/asset/1?X-Signature=a%2Fb&x=1"
      ask -o /dev/null -H "Authorization: token $GH_TOKEN" http://api.github.com/repos/acme/app/releases/assets/1
      ask "http://${ASSETS}/asset/1?X-Signature=a%2Fb&x=1" -H "Authorization: token $GH_TOKEN"
      ask -o /dev/null -w '\\n%{http_code}\\n' "http://${ASSETS}/asset/2"`,
  });
  expect([result.status, result.stderr]).toEqual([0, ""]);
  expect(result.stdout).toBe("700 directory\n600 regular file\n600 socket\n403\nthe asset\n403\n");
  expect(github.requestLines()).toEqual([
    "api.github.com GET /repos/acme/app/releases/assets/1",
    `${ASSETS} GET /asset/1?X-Signature=a%2Fb&x=1`,
  ]);
});

test("what gh writes into its folder is removed with the folder", async () => {
  const github = await startGithub(answer);
  const script = 'echo "oauth_token: typed" >"$GH_CONFIG_DIR/hosts.yml"; echo "$GH_CONFIG_DIR"';
  const result = await runBroker(github, { script });
  expect(result.stdout).toMatch(/^\/.*\n$/);
  expect(existsSync(result.stdout.trim())).toBe(false);
});

test("the folder of gh is removed when a signal ends the program", async () => {
  const github = await startGithub(answer);
  const result = await runBroker(github, { script: 'echo "$GH_CONFIG_DIR"; kill -TERM $PPID; exec sleep 60' });
  expect(result.stdout).toMatch(/^\/.*\n$/);
  expect(existsSync(result.stdout.trim())).toBe(false);
});

test.each([
  ["in flow form", "{editor: my-editor, http_unix_socket: /nowhere, aliases: {who: api user}} # own\n"],
  ["in the first line of a document", "--- {editor: my-editor}\n"],
  ["in the first of two documents", "editor: my-editor\n---\neditor: other\n"],
  ["with a list in the first column", "# own\neditor: my-editor\nlist:\n- one\n"],
])("the user's settings of gh are kept %s", async (_, config) => {
  const github = await startGithub(answer);
  const userConfigFolder = folder({ "config.yml": config });
  const result = await runBroker(github, {
    env: { GH_CONFIG_DIR: userConfigFolder },
    script: 'cat "$GH_CONFIG_DIR/config.yml"; echo; echo "$GH_CONFIG_DIR"',
  });
  const text = result.stdout.trimEnd().split("\n");
  const settings = fieldsOf(parse(text.slice(0, -1).join("\n")));
  expect([result.stderr, settings]).toEqual([
    "",
    expect.objectContaining({ editor: "my-editor", http_unix_socket: `${text.at(-1)}/gh.sock` }),
  ]);
});

test("a configuration of gh that is not YAML is ignored with a warning", async () => {
  const github = await startGithub(answer);
  for (const config of ["- editor: my-editor\n", "{editor: \n", "editor\n"]) {
    const userConfigFolder = folder({ "config.yml": config });
    const result = await runBroker(github, {
      env: { GH_CONFIG_DIR: userConfigFolder },
      script: 'cat "$GH_CONFIG_DIR/config.yml"',
    });
    expect(result.stdout).toMatch(/^http_unix_socket: "\/.*\/gh\.sock"\n$/);
    expect(unwrapLines(result.stderr)).toContain(`warning: with --broker gh ignores ${userConfigFolder}/config.yml`);
  }
});

test("gh with a token of --broker-except does not use the broker, beside another token that is brokered", async () => {
  const github = await startGithub(answer);
  const userConfigFolder = folder({ "config.yml": "editor: my-editor\n" });
  const result = await runBroker(github, {
    options: ["--broker-except", "GH_TOKEN"],
    env: { GH_TOKEN: "own-token-of-gh", GH_CONFIG_DIR: userConfigFolder },
    script: "env",
  });
  const { GH_CONFIG_DIR, GH_TOKEN, GITHUB_PAT, GIT_CONFIG_COUNT } = parseEnvironment(result.stdout);
  expect([result.stderr, GH_CONFIG_DIR, GH_TOKEN]).toEqual(["", userConfigFolder, "own-token-of-gh"]);
  expect(GITHUB_PAT).toContain("sophia-");
  expect(Number(GIT_CONFIG_COUNT)).toBeGreaterThan(0);
});

test("a caller's GH_TOKEN that is brokered stays the caller's; a configuration that is not a file is ignored", async () => {
  const github = await startGithub(answer);
  const userConfigFolder = folder();
  runCommand("mkfifo", [join(userConfigFolder, "config.yml")], userConfigFolder);
  const contract = JSON.stringify({ variables: { GITHUB_PAT: {}, GH_TOKEN: {} } });
  const { stdout } = await runBroker(github, {
    files: { "two.contract.json": contract },
    options: ["--contract", "two.contract.json"],
    env: { GH_TOKEN: "another-token", GH_CONFIG_DIR: userConfigFolder },
    script: 'cat "$GH_CONFIG_DIR/config.yml"; env',
  });
  expect(stdout).toMatch(/^http_unix_socket: "\/.*\/gh\.sock"\n/);
  const { GH_TOKEN, GITHUB_PAT } = parseEnvironment(stdout);
  expect(GH_TOKEN).not.toBe(GITHUB_PAT);
  expect(stdout).not.toContain("another-token");
});
