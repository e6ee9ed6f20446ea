import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { PROJECT_FILES, README_EDITS } from "../../scripts/demo/project.ts";
import { transcript } from "../../scripts/demo/transcript.ts";
import { shellQuoted } from "../../src/core/shell.ts";
import { secret, startEscServer } from "../esc-server/index.ts";
import { ESC_VALUES } from "../helpers/esc-values.ts";
import { type Block, fencedBlocksOf, linkedFilesOf } from "../helpers/markdown.ts";
import { cleanPath } from "../helpers/pack.ts";
import { notPackage } from "../helpers/skip.ts";
import { folder, sophiaRun } from "../helpers/sophia.ts";
import { DOCUMENT_CALLS, INSTALL, INSTALL_EXECUTABLE, INSTALL_FROM_README } from "./document-calls.ts";

const root = join(import.meta.dirname, "../..");

/** How a block of commands is tried; by bash in a folder of its own, always. */
type Trial =
  | {
      /** With the real commands, and an ESC environment that meets the built-in contract. */
      readonly kind: "run";
      readonly files?: Readonly<Record<string, string>>;
      /** Variables that the ESC environment lacks. */
      readonly without?: readonly string[];
      readonly unless?: string | undefined;
      /** ESC is not configured. */
      readonly isWithoutEsc?: true;
      /** The token is in PULUMI_ACCESS_TOKEN. */
      readonly isByPulumiToken?: true;
      /** The document's next block is the output. */
      readonly isShown?: true;
    }
  | {
      /** The commands that cannot be run here note what they are called with; document-calls.ts has what that must be. */
      readonly kind: "stand-ins";
      readonly commands: readonly string[];
      readonly because: string;
      readonly folders?: readonly string[];
    };

const MONOREPO = {
  "sophia.contract.json": '{ "variables": { "LOG_LEVEL": {}, "PORT": {} } }',
  ".env": "LOG_LEVEL=debug\nPORT=3000\n",
  "packages/api/.env": "PORT=8080\n",
  "packages/worker/package.json": "{}",
};

const npm = {
  kind: "stand-ins",
  commands: ["npm"],
  because: "npm asks the registry",
} as const;
const fetched = { ...npm, commands: ["curl", "git", "npm"] } as const;
const client = {
  kind: "stand-ins",
  commands: ["sophia-run"],
  because: "mcp.slow.test.ts starts the servers",
} as const;
const docker = {
  kind: "stand-ins",
  commands: ["npm", "docker"],
  because: "there is no Docker daemon",
} as const;
const container = {
  kind: "stand-ins",
  commands: ["sophia-run"],
  because: "there is no Docker daemon; listen.process.test.ts has networks of its own",
} as const;
const pulumi = {
  kind: "stand-ins",
  commands: ["pulumi"],
  because: "there is no account at Pulumi",
} as const;
const github = {
  kind: "stand-ins",
  commands: ["gh"],
  because: "there is no account at GitHub",
} as const;
const tokens = { ...pulumi, commands: ["gh", "curl", "jq"] } as const;
const services = {
  kind: "stand-ins",
  commands: ["docker", "kubectl", "sudo"],
  because: "there are no services",
} as const;
const suites = {
  kind: "stand-ins",
  commands: ["node", "npm", "npx"],
  because: "they build and run the tests themselves",
} as const;

const withoutMonitor =
  notPackage ??
  (existsSync(join(root, `dist/linux-${process.arch}-monitor`)) ? undefined : "needs the monitor, which gcc compiles");

/** Each document with its blocks of commands, by their first lines. */
const DOCUMENTS: Readonly<Record<string, Readonly<Record<string, Trial>>>> = {
  "README.md": {
    "$ cat .env": { kind: "run", files: projectAfter(1), isWithoutEsc: true },
    "$ sophia-run -- node app.js": { kind: "run", files: projectAfter(2), isWithoutEsc: true },
    "$ CLAUDECODE=1 sophia-run -- cat .env": { kind: "run", files: projectAfter(3), isWithoutEsc: true },
    "npm run demo": npm,
    [INSTALL_FROM_README.first]: { ...fetched, folders: ["../my-app"] },
    "npx --no-install sophia-run init": { ...npm, commands: ["npx"] },
    "npx --no-install sophia-run login": { ...npm, commands: ["npx"] },
  },
  "SECRETS.md": {
    'read -r VALUE && printf %s "$VALUE" | gh secret set ESC_ENV &&': github,
    "cp .env.example .env && chmod 600 .env": {
      kind: "run",
      files: { ".env.example": readFileSync(join(root, ".env.example"), "utf8") },
    },
    "read -rs GH_FINE_GRAINED_TOKEN && export GH_FINE_GRAINED_TOKEN": { ...pulumi, because: "it asks a person" },
    "sophia-run check": { kind: "run" },
    "sophia-run audit": { kind: "run" },
    "$ sophia-run check": { kind: "run", without: ["DATABASE_URL"] },
  },
  "docs/secrets.md": {
    "sophia-run audit": { kind: "run" },
    "read -r ROLE && read -rs VALUE &&": tokens,
    "read -r VALUE &&": github,
    "read -rs VALUE &&": github,
    "export ESC_TOKEN_COMMAND='printenv PULUMI_ACCESS_TOKEN'": { kind: "run", isByPulumiToken: true },
    "sophia-run rotate API_KEY": { kind: "stand-ins", commands: ["sophia-run"], because: "it asks a person" },
    "docker compose up --detach --force-recreate": services,
    "sophia-run --fake -- npm test": {
      kind: "stand-ins",
      commands: ["sophia-run"],
      because: "fake.process.test.ts starts programs with dummies",
    },
    "read -rs API_KEY && export API_KEY": { ...pulumi, because: "it asks a person" },
    'pulumi env version history "$ESC_ENV"': pulumi,
    "gh run list --workflow configuration.yml --limit 5": github,
  },
  "CONTRIBUTING.md": { "npm run demo": npm },
  "docs/agents.md": {
    "sophia-run check": {
      kind: "stand-ins",
      commands: ["sophia-run"],
      because: "agents.slow.test.ts does what they do",
    },
    "install -d -m 700 ~/.config/sophia-run": { kind: "run" },
    "sophia-run init --with claude,codex": { kind: "run" },
    "jq -r 'select(.names | has(\"DATABASE_URL\")) | [.time, .caller, .command, .reason] | @tsv' ~/.local/state/sophia-run/audit.jsonl":
      { kind: "stand-ins", commands: ["jq"], because: "there is no such log" },
  },
  "docs/broker.md": {
    "sophia-run --broker -- node agent.js": {
      kind: "stand-ins",
      commands: ["sophia-run"],
      because: "there is no such program",
    },
    "cat > service.mjs <<'end'": { kind: "run", without: ["OPENAI_API_KEY"], isShown: true },
    "sophia-run --broker -- git clone https://github.com/acme/app.git": {
      kind: "stand-ins",
      commands: ["sophia-run"],
      because: "git.slow.test.ts does it, with GitHub's names for this machine",
    },
    "sophia-run --broker --broker-listen 172.17.0.1 -- docker run --rm --env OPENAI_API_KEY --env OPENAI_BASE_URL agent":
      container,
    "sophia-run --broker --broker-listen 172.17.0.1 --broker-name host.docker.internal -- \\": container,
    "sophia-run --broker -- sh -c \\": {
      kind: "stand-ins",
      commands: ["sophia-run"],
      because: "there is no account at OpenAI",
    },
  },
  "docs/containers.md": {
    "docker build --file build-secret.Dockerfile --secret id=esc_token,env=ESC_TOKEN --build-arg ESC_ENV=sophia/build .":
      docker,
    "systemctl reset-failed sophia-app.service sophia-app.socket": { ...services, commands: ["systemctl"] },
  },
  "docs/README.md": {},
  "docs/coming-from.md": {
    "sophia-run init": {
      kind: "stand-ins",
      commands: ["sophia-run"],
      because: "coming-from.slow.test.ts starts such commands",
    },
  },
  "docs/comparison.md": { "npm run conformance -- --launcher 'dotenvx run --'": npm },
  "docs/contract.md": {
    "$ SMTP_URL=smtp://localhost sophia-run -- node server.js": {
      kind: "run",
      files: { "sophia.contract.json": firstBlock("docs/contract.md") },
      isWithoutEsc: true,
    },
    "sophia-run enforce --in acme/sophia/dev": {
      kind: "stand-ins",
      commands: ["sophia-run"],
      because: "it asks a person, and enforce.slow.test.ts does what it does",
    },
  },
  "docs/faults.md": {
    "$ PULUMI_BACKEND_URL=http://127.0.0.1:1 sophia-run -- node app.js": {
      kind: "run",
      files: { "sophia.contract.json": '{ "variables": {} }', "app.js": "" },
    },
  },
  "docs/masking.md": {
    "$ export OPENAI_API_KEY=sk-made-up-0123456789": { kind: "run", isWithoutEsc: true },
    "sophia-run mask < app.log": { kind: "run", files: { "app.log": "started\n" } },
  },
  "docs/mcp.md": {
    "sophia-run --project /home/me/app --scope search --only-declared -- node /home/me/app/search.mjs < /dev/null":
      client,
    "sophia-run --broker --broker-to https://mcp.example.com -- claude": client,
  },
  "docs/monorepos.md": {
    "$ cd packages/api": { kind: "run", files: MONOREPO },
    "$ cd /": { kind: "run", files: MONOREPO },
  },
  "docs/recipes.md": {},
  "docs/launching.md": {
    "sophia-run -- sh -c 'ps -o comm= -p $PPID'": { kind: "run" },
    "sophia-run --no-contract --mode spawn -- \\": { kind: "run", unless: withoutMonitor },
  },
  "docs/signals.md": {
    "$ sophia-run --no-contract --mode spawn -- sh -c 'trap \"exit 3\" TERM; kill -TERM $PPID; while sleep 0.1; do :; done'":
      { kind: "run" },
  },
  "docs/watch.md": {
    "sophia-run --watch -- node server.js": {
      kind: "stand-ins",
      commands: ["sophia-run"],
      because: "there is no such program",
    },
  },
  "docs/native.md": {
    "npx --no-install sophia-run link --check": {
      kind: "stand-ins",
      commands: ["npx"],
      because: "test/commands/link has what they print",
    },
    "node node_modules/sophia-run/bin/sophia-run.cjs link": {
      kind: "stand-ins",
      commands: ["node"],
      because: "test/commands/link has what it does",
    },
  },
  "docs/sources.md": {
    "$ QDRANT_URL=http://localhost:6333 sophia-run -- printenv QDRANT_URL": { kind: "run" },
    "echo 'DATABASE_URL=postgres://localhost/mine' >> .env.override": { kind: "run" },
  },
  "docs/standalone.md": {
    [INSTALL_EXECUTABLE.first]: { ...fetched, commands: ["curl", "install", "npm"] },
    "pip install dist-wheels/sophia_run-*-manylinux_*_x86_64.whl": {
      kind: "stand-ins",
      commands: ["pip", "sophia-run"],
      because: "node scripts/wheel.mjs makes it; test/python installs it",
    },
    "npm run build:standalone -- linux-x64 linux-arm64": suites,
    "npm run test:executable": suites,
  },
  "docs/threat-model.md": { "$ echo 'BASH_ENV=./setup.sh' > .env": { kind: "run" } },
  "docs/without-a-prefix.md": {},
  "examples/devcontainer/README.md": {
    "npm run package -- examples/devcontainer": { ...npm, commands: ["npm", "npx"] },
  },
  "examples/docker/README.md": {
    [INSTALL.first]: { ...docker, commands: ["curl", "git", "npm", "docker"] },
    "npm run package -- examples/docker": { ...npm, folders: ["examples/docker"] },
    "docker run --rm --init --publish 127.0.0.1:3000:3000 --env ESC_ENV=sophia/prod --env ESC_TOKEN sophia-app": docker,
    "export ESC_TOKEN_FILE=~/.config/sophia-run/token": docker,
  },
  "examples/npm-scripts/README.md": {
    [INSTALL.first]: fetched,
    "npm run package -- examples/npm-scripts": { ...npm, folders: ["examples/npm-scripts"] },
  },
  "examples/sample/README.md": {
    "cd examples/sample": {
      kind: "run",
      files: Object.fromEntries(
        ["sophia.contract.json", "examples/sample/sophia.contract.json", "examples/sample/app.js"].map((path) => [
          path,
          readFileSync(join(root, path), "utf8"),
        ]),
      ),
      // What the repository's own contract requires.
      without: ["PULUMI_ACCESS_TOKEN", "GH_FINE_GRAINED_TOKEN", "GITHUB_PAT", "ANTHROPIC_API_KEY"],
    },
  },
};

describe.each(Object.entries(DOCUMENTS))("the page %s", (name, trials) => {
  const document = readFileSync(join(root, name), "utf8");
  const all = fencedBlocksOf(document);
  const blocks = all.filter(({ language }) => ["console", "sh"].includes(language));

  test("has exactly these blocks of commands", () => {
    expect(blocks.map(firstLine)).toEqual(Object.keys(trials));
  });

  test("has no remark behind a command, which zsh would read as arguments", () => {
    const lines = blocks.flatMap(({ text: commands }) => commands.split("\n"));
    expect(lines.filter((line) => /(?:^|\s)#/.test(line))).toEqual([]);
  });

  test("links to files that exist", () => {
    const missing = linkedFilesOf(document).filter((target) => !existsSync(join(root, dirname(name), target)));
    expect(missing).toEqual([]);
  });

  const withTrials = blocks.map((block) => ({ title: firstLine(block), block, trial: trials[firstLine(block)] }));

  test.for(withTrials.filter(({ trial }) => trial?.kind === "run"))(
    "shows what happens: $title",
    async ({ block, trial }, { skip }) => {
      if (trial?.kind !== "run") throw new TypeError("filtered above");
      skip(trial.unless !== undefined, trial.unless);
      const result = await runForReal(block, trial);
      const output = trial.isShown === true ? { output: all[all.indexOf(block) + 1]?.text } : {};
      const shown = block.language === "console" ? { output: block.text } : { status: 0, ...output };
      expect(result, result.output).toMatchObject(shown);
    },
  );

  test.for(withTrials.filter(({ trial }) => trial?.kind === "stand-ins"))(
    "has commands that a shell reads as they are meant ($trial.because): $title",
    ({ block, trial }) => {
      if (trial?.kind !== "stand-ins") throw new TypeError("filtered above");
      const calls = DOCUMENT_CALLS[name]?.[firstLine(block)];
      expect(runWithStandIns(block, trial)).toEqual({ status: 0, stderr: "", created: [], calls });
      expect(calls).toBeDefined();
    },
  );
});

test("docs/signals.md names cases of the conformance suite that exist", () => {
  const run = spawnSync("python3", [join(root, "test/conformance/run.py"), "--list"], { encoding: "utf8" });
  const cases = new Set(run.stdout.split("\n").map((line) => line.replace(/:.*/, "")));
  const document = readFileSync(join(root, "docs/signals.md"), "utf8");
  const concerns = new Set([...cases].map((name) => name.replace(/\/.*/, "")));
  const named = [...document.matchAll(/`([\w-]+)\/([\w*-]+)`/g)].filter(([, concern = ""]) => concerns.has(concern));
  expect(named.length).toBeGreaterThan(30);
  const unknown = named
    .map(([, concern = "", name = ""]) => `${concern}/${name}`)
    .filter((name) => {
      const pattern = new RegExp(`^${name.replaceAll("*", ".*")}$`);
      return ![...cases].some((one) => pattern.test(one));
    });
  expect(unknown).toEqual([]);
});

function firstLine({ text: lines }: Block): string {
  return lines.slice(0, lines.indexOf("\n"));
}

/** The text of a document's first block, which a later block of the document uses. */
function firstBlock(name: string): string {
  return fencedBlocksOf(readFileSync(join(root, name), "utf8"))[0]?.text ?? expect.unreachable();
}

/** The demo's project after some of the edits that the README's blocks need. */
function projectAfter(edits: number): Readonly<Record<string, string>> {
  return Object.assign({}, PROJECT_FILES, ...README_EDITS.slice(0, edits));
}

async function runForReal(
  { language, text: lines }: Block,
  { files = {}, without = [], isWithoutEsc, isByPulumiToken }: Extract<Trial, { kind: "run" }>,
): Promise<{ readonly status: number | null; readonly output: string }> {
  await using server = await startEscServer({ token: `pul-${"0".repeat(36)}1a2b` });
  const values = {
    DATABASE_URL: secret("postgresql://app:a-password@db.example.test/app"),
    ...ESC_VALUES,
  };
  const given = Object.fromEntries(Object.entries(values).filter(([name]) => !without.includes(name)));
  for (const name of ["acme/sophia/dev", "acme/sophia/prod"]) server.environment(name, { values: given });
  const esc =
    isWithoutEsc === true
      ? {}
      : {
          ESC_ENV: "acme/sophia/dev",
          [isByPulumiToken === true ? "PULUMI_ACCESS_TOKEN" : "ESC_TOKEN"]: server.token,
          PULUMI_BACKEND_URL: server.url,
        };
  const cwd = folder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(cwd, dirname(name)), { recursive: true });
    // A world-readable .env has a warning.
    writeFileSync(join(cwd, name), content, { mode: name.startsWith(".env") ? 0o600 : 0o666 });
  }
  const script = join(folder(), "block.sh");
  writeFileSync(script, `exec 2>&1\n${language === "console" ? transcript(lines) : `set -e\n${lines}`}`);
  const quoted = sophiaRun.map(shellQuoted).join(" ");
  const child = spawn("bash", [script], {
    cwd,
    env: {
      PATH: [commandFolder({ "sophia-run": `#!/bin/sh\nexec ${quoted} "$@"\n` }), cleanPath].join(delimiter),
      HOME: cwd,
      ...esc,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const result = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const output = await text(child.stdout);
  return { status: await result, output };
}

/** Unquoted, `<value>` would be a redirection: of a file that does not exist, or one that is created. */
function runWithStandIns(
  { language, text: lines }: Block,
  { commands, folders = [] }: Extract<Trial, { kind: "stand-ins" }>,
) {
  const cwd = join(folder(), "checkout");
  for (const name of ["", ...folders]) mkdirSync(join(cwd, name), { recursive: true });
  const before = new Set<string | Buffer>(readdirSync(cwd, { recursive: true }));
  const script = language === "console" ? transcript(lines) : lines;
  const log = join(folder({ calls: "" }), "calls");
  const { status, stderr } = spawnSync("/bin/bash", ["--norc", "-euc", script], {
    cwd,
    env: {
      ESC_ENV: "acme/sophia/dev",
      HOME: "/home/reader",
      STAND_IN_LOG: log,
      PATH: commandFolder(Object.fromEntries(commands.map((name) => [name, STAND_IN]))),
    },
    input: "a line\nanother line\n",
    encoding: "utf8",
  });
  const created = readdirSync(cwd, { recursive: true }).filter((name) => !before.has(name));
  return { status, stderr, created, calls: readFileSync(log, "utf8").split("\n").slice(0, -1) };
}

/** Notes its name and each word in brackets; then what comes through a pipe, and from the file of a word like `@/dev/fd/63`. */
const STAND_IN = `#!/bin/sh
line=\${0##*/} input=
if [ -p /dev/stdin ]; then input=yes; fi
for word; do
  line="$line [$word]"
  case $word in
  --null-input) input= ;;
  @/dev/fd/*) line="$line = $(/bin/cat "\${word#@}")" ;;
  esac
done
if [ -n "$input" ]; then line="$line < $(/bin/cat)"; fi
printf '%s\\n' "$line" >>"$STAND_IN_LOG"
`;

/** A folder of executables. */
function commandFolder(commands: Readonly<Record<string, string>>): string {
  const path = folder(commands);
  for (const name of Object.keys(commands)) chmodSync(join(path, name), 0o755);
  return path;
}
