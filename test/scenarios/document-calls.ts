/**
 * The commands that documents show, and the calls that the shell must make of them. documents.standalone.test.ts runs
 * the documents and compares.
 */
import { DISTRIBUTION } from "../../src/commands/parts/distribution.ts";
import { FETCH_TARBALL_COMMANDS, NODE_PACKAGE_ARGUMENT, RELEASE_URL } from "../../src/commands/parts/package-source.ts";

/** Returns the call of a line of plain words. */
function call(line: string): string {
  return line.replaceAll("~/", "/home/reader/").replaceAll(/ (\S+)/g, " [$1]");
}

/** Returns lines that depend on the distribution, by the first of them: a first line, and the calls of all. */
function block(...lines: readonly string[]): { readonly first: string; readonly calls: readonly string[] } {
  return { first: lines[0] ?? "", calls: lines.filter((line) => !line.startsWith("cd ")).map(call) };
}

/** The blocks that install the package. */
export const INSTALL = block(...FETCH_TARBALL_COMMANDS, `npm install ${NODE_PACKAGE_ARGUMENT}`);
export const INSTALL_FROM_README =
  DISTRIBUTION === "checkout"
    ? block("npm run package -- ../my-app", "cd ../my-app", `npm install ${NODE_PACKAGE_ARGUMENT}`)
    : INSTALL;
export const INSTALL_EXECUTABLE = block(
  ...(DISTRIBUTION === "checkout"
    ? ["npm run build:standalone", "install -D -m 755 dist-standalone/sophia-run-linux-x64 ~/.local/bin/sophia-run"]
    : [
        `curl -fLO ${RELEASE_URL}/sophia-run-linux-x64`,
        "install -D -m 755 sophia-run-linux-x64 ~/.local/bin/sophia-run",
      ]),
);

/**
 * The calls of commands that cannot be run here, for each block of commands of a document, by its first line: each word in
 * brackets, and behind `<` the text that came through a pipe. `a line` is the answer to the first question.
 */
export const DOCUMENT_CALLS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  "README.md": {
    "npm run demo": ["npm [run] [demo]", "npm [test]"],
    [INSTALL_FROM_README.first]: INSTALL_FROM_README.calls,
    "npx --no-install sophia-run init": ["npx [--no-install] [sophia-run] [init]"],
    "npx --no-install sophia-run login": [
      "npx [--no-install] [sophia-run] [login]",
      "npx [--no-install] [sophia-run] [--] [npm] [start]",
    ],
  },
  "docs/coming-from.md": { "sophia-run init": ["sophia-run [init]", "sophia-run [--] [npm] [start]"] },
  "docs/comparison.md": {
    "npm run conformance -- --launcher 'dotenvx run --'": [
      "npm [run] [conformance] [--] [--launcher] [dotenvx run --]",
    ],
  },
  "SECRETS.md": {
    'read -r VALUE && printf %s "$VALUE" | gh secret set ESC_ENV &&': [
      "gh [secret] [set] [ESC_ENV] < a line",
      "gh [secret] [set] [ESC_TOKEN] < another line",
    ],
    // It sets a variable, and calls nothing.
    "read -rs GH_FINE_GRAINED_TOKEN && export GH_FINE_GRAINED_TOKEN": [],
  },
  "docs/secrets.md": {
    "read -r VALUE &&": [
      "gh [secret] [set] [ESC_ENV] [--app] [actions] < a line",
      "gh [secret] [set] [ESC_ENV] [--app] [codespaces] < a line",
    ],
    "read -rs VALUE &&": [
      "gh [secret] [set] [ESC_TOKEN] [--app] [actions] < a line",
      "gh [secret] [set] [ESC_TOKEN] [--app] [codespaces] < a line",
    ],
    "read -r ROLE && read -rs VALUE &&": [
      "jq [--null-input] [--arg] [role] [a line] [{",
      '        name: ("actions-" + (now | strftime("%Y%m%d-%H%M%S"))), description: "opens the environment",',
      "        admin: false, roleID: $role, expires: (now + 90 * 86400 | floor)}]",
      "curl [--fail] [--silent] [--show-error] [--header] [@-] [--header] [Accept: application/vnd.pulumi+8] [--header] [Content-Type: application/json] [--data] [@/dev/fd/63] =  [https://api.pulumi.com/api/orgs/acme/tokens] < Authorization: token another line",
      "jq [--exit-status] [--raw-output] [.tokenValue] < ",
      "gh [secret] [set] [ESC_TOKEN] [--app] [actions] < ",
    ],
    "sophia-run --fake -- npm test": ["sophia-run [--fake] [--] [npm] [test]"],
    "sophia-run rotate API_KEY": ["sophia-run [rotate] [API_KEY]"],
    "docker compose up --detach --force-recreate": [
      "docker [compose] [up] [--detach] [--force-recreate]",
      "kubectl [rollout] [restart] [deployment/NAME]",
      "sudo [systemctl] [restart] [NAME]",
    ],
    // It sets a variable, and calls nothing.
    "read -rs API_KEY && export API_KEY": [],
    "gh run list --workflow configuration.yml --limit 5": [
      "gh [run] [list] [--workflow] [configuration.yml] [--limit] [5]",
      "gh [run] [list] [--workflow] [configuration.yml] [--status] [failure] [--limit] [1] [--json] [databaseId] [--jq] [.[0].databaseId]",
      "gh [run] [view] [--log-failed] []",
    ],
    'pulumi env version history "$ESC_ENV"': [
      "pulumi [env] [version] [history] [acme/sophia/dev]",
      "pulumi [org] [audit-log] [list] [--org] [acme]",
    ],
  },
  "docs/contract.md": {
    "sophia-run enforce --in acme/sophia/dev": ["sophia-run [enforce] [--in] [acme/sophia/dev]"],
  },
  "CONTRIBUTING.md": {
    "npm run demo": ["npm [run] [demo]", "npm [test]"],
  },
  "docs/agents.md": {
    "sophia-run check": [
      "sophia-run [check]",
      "sophia-run [--reason] [the login test fails] [--] [npm] [test]",
      "sophia-run [--fake] [--] [npm] [test]",
    ],
    "jq -r 'select(.names | has(\"DATABASE_URL\")) | [.time, .caller, .command, .reason] | @tsv' ~/.local/state/sophia-run/audit.jsonl":
      [
        'jq [-r] [select(.names | has("DATABASE_URL")) | [.time, .caller, .command, .reason] | @tsv] [/home/reader/.local/state/sophia-run/audit.jsonl]',
      ],
  },
  "docs/broker.md": {
    "sophia-run --broker -- node agent.js": ["sophia-run [--broker] [--] [node] [agent.js]"],
    "sophia-run --broker -- git clone https://github.com/acme/app.git": [
      "sophia-run [--broker] [--] [git] [clone] [https://github.com/acme/app.git]",
    ],
    "sophia-run --broker --broker-listen 172.17.0.1 -- docker run --rm --env OPENAI_API_KEY --env OPENAI_BASE_URL agent":
      [
        "sophia-run [--broker] [--broker-listen] [172.17.0.1] [--] [docker] [run] [--rm] [--env] [OPENAI_API_KEY] [--env] [OPENAI_BASE_URL] [agent]",
      ],
    "sophia-run --broker --broker-listen 172.17.0.1 --broker-name host.docker.internal -- \\": [
      "sophia-run [--broker] [--broker-listen] [172.17.0.1] [--broker-name] [host.docker.internal] [--] [docker] [run] [--rm] [--add-host] [host.docker.internal:host-gateway] [--env] [OPENAI_API_KEY] [--env] [OPENAI_BASE_URL] [agent]",
    ],
    "sophia-run --broker -- sh -c \\": [
      'sophia-run [--broker] [--] [sh] [-c] [CODEX_API_KEY="$OPENAI_API_KEY" exec codex -c openai_base_url="$OPENAI_BASE_URL" exec "say hello"]',
    ],
  },
  "docs/mcp.md": {
    "sophia-run --broker --broker-to https://mcp.example.com -- claude": [
      "sophia-run [--broker] [--broker-to] [https://mcp.example.com] [--] [claude]",
    ],
    "sophia-run --project /home/me/app --scope search --only-declared -- node /home/me/app/search.mjs < /dev/null": [
      "sophia-run [--project] [/home/me/app] [--scope] [search] [--only-declared] [--] [node] [/home/me/app/search.mjs]",
    ],
  },
  "docs/watch.md": {
    "sophia-run --watch -- node server.js": ["sophia-run [--watch] [--] [node] [server.js]"],
  },
  "docs/containers.md": {
    "docker build --file build-secret.Dockerfile --secret id=esc_token,env=ESC_TOKEN --build-arg ESC_ENV=sophia/build .":
      [
        "docker [build] [--file] [build-secret.Dockerfile] [--secret] [id=esc_token,env=ESC_TOKEN] [--build-arg] [ESC_ENV=sophia/build] [.]",
      ],
    "systemctl reset-failed sophia-app.service sophia-app.socket": [
      "systemctl [reset-failed] [sophia-app.service] [sophia-app.socket]",
      "systemctl [start] [sophia-app.socket]",
    ],
  },
  "docs/native.md": {
    "npx --no-install sophia-run link --check": [
      "npx [--no-install] [sophia-run] [link] [--check]",
      "npx [--no-install] [sophia-run] [link] [--verbose]",
      "npx [--no-install] [sophia-run] [--version]",
    ],
    "node node_modules/sophia-run/bin/sophia-run.cjs link": [
      "node [node_modules/sophia-run/bin/sophia-run.cjs] [link]",
    ],
  },
  "docs/standalone.md": {
    [INSTALL_EXECUTABLE.first]: INSTALL_EXECUTABLE.calls,
    "npm run build:standalone -- linux-x64 linux-arm64": [
      "npm [run] [build:standalone] [--] [linux-x64] [linux-arm64]",
      "npm [run] [build:standalone] [--] [--all]",
    ],
    "pip install dist-wheels/sophia_run-*-manylinux_*_x86_64.whl": [
      "pip [install] [dist-wheels/sophia_run-*-manylinux_*_x86_64.whl]",
      "sophia-run [--] [gunicorn] [app:app]",
    ],
    "npm run test:executable": [
      "npm [run] [test:executable]",
      "npm [run] [conformance] [--] [--launcher] [dist-standalone/sophia-run-linux-x64 --no-contract --]",
      "npm [run] [conformance] [--] [--launcher] [dist-standalone/sophia-run-linux-x64 --no-contract --mode spawn --]",
      "node [runtime/build/runtime.mjs] [--shell]",
      "npx [vitest] [run] [runtime/test]",
    ],
  },
  "examples/devcontainer/README.md": {
    "npm run package -- examples/devcontainer": [
      "npm [run] [package] [--] [examples/devcontainer]",
      "npx [--no-install] [devcontainer] [up] [--workspace-folder] [examples/devcontainer]",
    ],
  },
  "examples/docker/README.md": {
    [INSTALL.first]: [...INSTALL.calls, "docker [build] [--tag] [sophia-app] [.]"],
    "npm run package -- examples/docker": [
      "npm [run] [package] [--] [examples/docker]",
      "npm [install] [./sophia-run-*.tgz]",
    ],
    "docker run --rm --init --publish 127.0.0.1:3000:3000 --env ESC_ENV=sophia/prod --env ESC_TOKEN sophia-app": [
      "docker [run] [--rm] [--init] [--publish] [127.0.0.1:3000:3000] [--env] [ESC_ENV=sophia/prod] [--env] [ESC_TOKEN] [sophia-app]",
    ],
    "export ESC_TOKEN_FILE=~/.config/sophia-run/token": ["docker [compose] [up]"],
  },
  "examples/npm-scripts/README.md": {
    [INSTALL.first]: INSTALL.calls,
    "npm run package -- examples/npm-scripts": [
      "npm [run] [package] [--] [examples/npm-scripts]",
      "npm [install] [--no-save] [./sophia-run-*.tgz]",
      "npm [run] [check]",
      "npm [start]",
    ],
  },
};
