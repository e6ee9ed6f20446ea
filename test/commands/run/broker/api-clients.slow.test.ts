/** Octokit and PyGithub at pinned versions, as docs/broker.md has them, with answers of GitHub's API that were recorded. */
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fieldsOf } from "../../../../src/esc/transport/answer.ts";
import type { ReceivedRequest } from "../../../broker/upstream.ts";
import { fetchOctokit, fetchPyGithub, OCTOKIT, PYGITHUB } from "../../../broker/clients/packages.ts";
import { fencedBlocksOf } from "../../../helpers/markdown.ts";
import { notInstalled, notNightly, skipBecause } from "../../../helpers/skip.ts";
import { runBroker, type Github, startGithub, TOKEN } from "./github.ts";

// They are fetched, 50 MB.
skipBecause(notNightly);

const API = "https://api.github.com";
const REPOSITORY = {
  id: 1,
  name: "app",
  full_name: "acme/app",
  url: `${API}/repos/acme/app`,
  issues_url: `${API}/repos/acme/app/issues{/number}`,
  git_refs_url: `${API}/repos/acme/app/git/refs{/sha}`,
  default_branch: "main",
} as const;

const issue = (number: number, title: string): object => ({
  id: number,
  number,
  title,
  state: "open",
  url: `${API}/repos/acme/app/issues/${number}`,
});

/** The members of the answers that the clients read, with the addresses that GitHub gives. */
function answer(request: IncomingMessage, response: ServerResponse, received: ReceivedRequest): void {
  request.once("end", () => answerWhole(request, response, received));
}

function answerWhole(
  { method, url = "", headers }: IncomingMessage,
  response: ServerResponse,
  { body }: ReceivedRequest,
): void {
  const json = (value: unknown, status = 200, more: Readonly<Record<string, string>> = {}): void => {
    response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...more });
    response.end(JSON.stringify(value));
  };
  const { pathname, searchParams } = new URL(url, API);
  if (headers.host !== "api.github.com") return json({ message: "another host" }, 500);
  switch (`${method} ${pathname}`) {
    case "GET /user":
      return json({ login: "octo", id: 1, url: `${API}/users/octo` });
    case "GET /repos/acme/app":
      return json(REPOSITORY);
    case "GET /repos/acme/app/issues": {
      if (searchParams.get("page") === "2") return json([issue(2, "second")]);
      const next = `${API}/repositories/1/issues?page=2`;
      return json([issue(1, "first")], 200, { link: `<${next}>; rel="next", <${next}>; rel="last"` });
    }
    case "GET /repos/acme/app/issues/1":
      return json(issue(1, "first"));
    case "POST /repos/acme/app/issues/1/comments":
      return json({ id: 1, body: fieldsOf(JSON.parse(body))?.["body"] }, 201);
    case "GET /repositories/1/issues":
      return json([issue(2, "second")]);
    case "POST /repos/acme/app/issues":
      return json(issue(3, String(fieldsOf(JSON.parse(body))?.["title"])), 201);
    case "GET /repos/acme/app/git/ref/heads%2Fmain":
    case "GET /repos/acme/app/git/refs/heads/main":
    case "GET /repos/acme/app/git/ref/heads/main":
      return json({
        ref: "refs/heads/main",
        url: `${API}${pathname}`,
        object: { type: "commit", sha: "0".repeat(40) },
      });
    case "POST /graphql":
      return json({ data: { viewer: { login: "octo" } } });
    default:
      return json({ message: "Not Found" }, 404);
  }
}

const BLOCKS = fencedBlocksOf(readFileSync(join(import.meta.dirname, "../../../../docs/broker.md"), "utf8"));
const blockWith = (part: string): string =>
  BLOCKS.find(({ text }) => text.includes(part))?.text ?? expect.fail(`no block has ${part}`);

const OCTOKIT_PROGRAM = `
import { Octokit } from "@octokit/rest";
${blockWith("new Octokit(")}
const app = { owner: "acme", repo: "app" };
const statusOf = (promise) => promise.then(() => 0, (error) => [error.status, error.response?.data?.error?.code ?? null]);
console.log(JSON.stringify({
  user: (await octokit.rest.users.getAuthenticated()).data.login,
  issues: (await octokit.paginate(octokit.rest.issues.listForRepo, app)).map(({ title }) => title),
  created: (await octokit.rest.issues.create({ ...app, title: "third" })).data.title,
  comment: (await octokit.rest.issues.createComment({ ...app, issue_number: 1, body: "a comment" })).data.body,
  ref: (await octokit.rest.git.getRef({ ...app, ref: "heads/main" })).data.ref,
  viewer: (await octokit.graphql("{ viewer { login } }")).viewer.login,
  missing: await statusOf(octokit.rest.repos.get({ owner: "acme", repo: "none" })),
  denied: await statusOf(octokit.rest.repos.listDeployKeys(app)),
}));
`;

const PYGITHUB_PROGRAM = `
import json
from github import GithubException

${blockWith("from github import")}

def status_of(call):
    try:
        call()
    except GithubException as error:
        return [error.status, error.data.get("error", {}).get("code")]

app = github.get_repo("acme/app")
print(json.dumps({
    "user": github.get_user().login,
    "issues": [issue.title for issue in app.get_issues()],
    "created": app.create_issue(title="third").title,
    "comment": app.get_issue(1).create_comment("a comment").body,
    "ref": app.get_git_ref("heads/main").ref,
    "viewer": github.requester.graphql_query("{ viewer { login } }", {})[1]["data"]["viewer"]["login"],
    "missing": status_of(lambda: github.get_repo("acme/none")),
    "denied": status_of(lambda: list(app.get_keys())),
}))
`;

async function expectCalls(github: Github, script: string, files: Readonly<Record<string, string>>): Promise<void> {
  const contract = JSON.stringify({ variables: { GITHUB_TOKEN: {} } });
  const result = await runBroker(github, {
    files: { "token.contract.json": contract, ...files },
    options: ["--contract", "token.contract.json", "--exclude", "GITHUB_PAT"],
    env: { GITHUB_TOKEN: TOKEN },
    script,
  });
  // Octokit reports each failed call there.
  expect(result.status, result.stderr).toBe(0);
  expect(JSON.parse(result.stdout)).toEqual({
    user: "octo",
    issues: ["first", "second"],
    created: "third",
    comment: "a comment",
    ref: "refs/heads/main",
    viewer: "octo",
    missing: [404, null],
    denied: [403, "broker-denied"],
  });
  for (const { headers, rawHeaders } of github.upstream.requests) {
    expect(headers.host).toBe("api.github.com");
    expect(headers.authorization).toMatch(new RegExp(`^(?:token|Bearer) ${TOKEN}$`));
    expect(rawHeaders.join("\n")).not.toContain("sophia-");
  }
}

test(`Octokit (${Object.values(OCTOKIT).join()}) calls the API with a line`, { timeout: 400_000 }, async () => {
  const modules = join(fetchOctokit(), "node_modules");
  const github = await startGithub(answer);
  const script = `ln -s '${modules}' node_modules; exec node program.mjs`;
  await expectCalls(github, script, { "program.mjs": OCTOKIT_PROGRAM });
});

test(
  `PyGithub (${Object.values(PYGITHUB).join()}) calls the API with a line`,
  { timeout: 400_000 },
  async ({ skip }) => {
    const reason = notInstalled("python3", "--version");
    skip(reason !== undefined, reason);
    const github = await startGithub(answer);
    const script = `PYTHONPATH='${fetchPyGithub()}' exec python3 program.py`;
    await expectCalls(github, script, { "program.py": PYGITHUB_PROGRAM });
  },
);
