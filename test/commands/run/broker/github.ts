/** GitHub on this machine, behind TLS: git's own server for repositories, and an API that answers what it is asked. */
import { spawnSync } from "node:child_process";
import * as http from "node:http";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Proxy, startProxy } from "../../../esc-server/proxy.ts";
import { makeCertificates } from "../../../esc-server/tls.ts";
import { type ReceivedRequest, startUpstream, type Upstream } from "../../../broker/upstream.ts";
import { serveGit } from "../../../helpers/git-server.mts";
import { type ProcessResult, folder, sophia } from "../../../helpers/sophia.ts";

export const TOKEN = "github_pat_real0a1b2c3d4e5f6a7b8c9d";
/** The host to which redirects of the API lead. It takes no credentials. */
export const ASSETS = "objects.githubusercontent.com";
const NAMES = ["github.com", "api.github.com", "uploads.github.com", "github.acme.test", ASSETS];

export interface Github {
  readonly upstream: Upstream;
  /** Answers for the names of GitHub. */
  readonly proxy: Proxy;
  /** The folder of the bare repositories. */
  readonly repositories: string;
  /** The variables with which requests for GitHub come here. */
  readonly env: Readonly<Record<string, string>>;
  /** Hosts and targets of the requests so far. */
  readonly requestLines: () => readonly string[];
}

type Answer = (request: http.IncomingMessage, response: http.ServerResponse, received: ReceivedRequest) => void;

/** @param answer for other hosts than github.com @param sink takes the requests of git, which are not kept */
export async function startGithub(
  answer: Answer = (_, response) => void response.end("{}"),
  sink?: (request: http.IncomingMessage, response: http.ServerResponse) => void,
): Promise<Github> {
  const certificates = await makeCertificates(NAMES);
  onTestFinished(() => certificates.remove());
  const repositories = folder();
  const upstream = await startUpstream(
    (request, response, received) => {
      const [scheme, credentials = ""] = (request.headers.authorization ?? "").split(" ");
      const password = Buffer.from(credentials, "base64").toString().split(":")[1];
      const key = scheme?.toLowerCase() === "basic" ? password : credentials;
      const isGit = /\.git\/(?!info\/lfs\/)/.test(request.url ?? "");
      if (request.headers.host === ASSETS) answer(request, response, received);
      else if (key !== TOKEN) {
        request.resume();
        response.writeHead(401, { "www-authenticate": 'Basic realm="GitHub"' }).end();
      } else if (isGit && sink !== undefined) sink(request, response);
      else if (isGit) serveGit(repositories, request, response);
      else answer(request, response, received);
    },
    certificates.valid,
    sink === undefined,
  );
  const { port } = new URL(upstream.origin);
  const here = { host: "127.0.0.1", port: Number(port) };
  const names = NAMES.map((host) => [`${host}:443`, here] as const);
  const proxy = await startProxy({ routes: Object.fromEntries(names) });
  onTestFinished(() => proxy.close());
  return {
    upstream,
    proxy,
    repositories,
    env: { HTTPS_PROXY: proxy.url, NODE_EXTRA_CA_CERTS: certificates.caFile },
    requestLines: () => upstream.requests.map(({ headers, method, target }) => `${headers.host} ${method} ${target}`),
  };
}

/** Makes a bare repository with one commit, and returns the folder that it was pushed from. */
export function createRepository(
  { repositories }: Pick<Github, "repositories">,
  name: string,
  files = { "a.txt": "a" },
): string {
  const bare = join(repositories, name);
  const from = folder(files);
  runCommand("git", ["init", "--quiet", "--bare", "--initial-branch=main", bare], from);
  runCommand("git", ["-C", bare, "config", "http.receivepack", "true"], from);
  runCommand("git", ["init", "--quiet", "--initial-branch=main"], from);
  runCommand("git", ["add", "."], from);
  runCommand("git", [...AUTHOR, "commit", "--quiet", "-m", "first"], from);
  runCommand("git", ["push", "--quiet", bare, "main"], from);
  return from;
}

export const AUTHOR = ["-c", "user.name=A", "-c", "user.email=a@example.test"] as const;

export function runCommand(command: string, args: readonly string[], cwd: string): string {
  const env = { PATH: process.env["PATH"], HOME: cwd, GIT_CONFIG_NOSYSTEM: "1" };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: "utf8", timeout: 60_000 });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
  return stdout;
}

export interface BrokeredScript {
  readonly script: string;
  /** `broker` of the token's declaration. */
  readonly broker?: unknown;
  readonly options?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

/** Runs a script of `sh` with a token that it does not get. The contract is one that the caller has named. */
export async function runBroker(
  { env }: Pick<Github, "env">,
  { script, broker = true, options = [], env: more = {}, files = {} }: BrokeredScript,
): Promise<ProcessResult & { readonly cwd: string }> {
  const contract = JSON.stringify({ variables: { GITHUB_PAT: { example: "ghp_<token>", broker } } });
  const cwd = folder({ "named.contract.json": contract, ...files });
  const args = ["--contract", "named.contract.json", "--broker", ...options, "--", "sh", "-ec", script];
  const common = { GITHUB_PAT: TOKEN, GIT_CONFIG_NOSYSTEM: "1", GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" };
  const result = await sophia(args, {
    cwd,
    env: { ...common, ...env, ...more },
  });
  return { ...result, cwd };
}
