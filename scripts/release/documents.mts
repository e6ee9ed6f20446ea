/**
 * `npm run release:check`: fails if a document says that sophia-run can be had where it cannot, by distribution.ts, or leaves out
 * where it can. `--write`, of `npm run docs`, writes the passages that depend on it.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { format } from "oxfmt";
import { type Distribution, DISTRIBUTION } from "../../src/commands/parts/distribution.ts";
import {
  commandsOfCheckout,
  fetchCommandsOf,
  linuxWheelTag,
  RELEASE_URL,
  TARBALL_NAME,
  VERSION,
  wheelName,
} from "../../src/commands/parts/package-source.ts";

const root = join(import.meta.dirname, "../..");
/** As .oxfmtrc.json has it. */
const FORMAT = { printWidth: 120, embeddedLanguageFormatting: "off", proseWrap: "always" } as const;

/** The text of a document in each state. A text that is in none of its documents can be found in no other state, so none is empty. */
interface Passage {
  readonly files: readonly string[];
  readonly texts: Readonly<Record<Distribution, string>>;
}

const lines = (...all: readonly string[]): string => all.join("\n");
const installed = { checkout: `./${TARBALL_NAME}`, release: `./${TARBALL_NAME}`, registries: "sophia-run" };

/** Returns the texts that `make` makes for each state. */
function texts(make: (distribution: Distribution) => string): Passage["texts"] {
  return { checkout: make("checkout"), release: make("release"), registries: make("registries") };
}

/** The wheel for the processor of the user, whose shell fills it in. */
const WHEEL = wheelName(linuxWheelTag("$(uname -m)"));
const NO_TAG = "No release exists yet, and so no tag";
/** The workflows that call the action, and a line that each has after its first one. */
const WORKFLOWS = {
  "examples/actions/codespaces.yml": "name: Set up Codespaces",
  "examples/actions/deploy.yml": "name: Deploy",
  "examples/actions/oidc.yml": "name: Job without a stored token",
};

const PASSAGES: readonly Passage[] = [
  {
    files: ["README.md"],
    texts: {
      checkout: lines(
        "No release exists yet, and the package is on no registry. Do not install a package of this name from a registry: that is",
        "another package, and it would get your secrets. In a checkout, the first command makes the package and puts it into your",
        "project, and the last one installs it:",
        "",
        "```sh",
        "npm run package -- ../my-app",
        "cd ../my-app",
        `npm install ./${TARBALL_NAME}`,
        "```",
        "",
        "The first time, this also compiles the executables for Linux, for x64 and arm64, and shows its progress. If something is",
        "missing that [they need](docs/standalone.md#build), it says what it leaves out. Commit the file with package.json, so that",
        "CI and images have it.",
      ),
      release: lines(
        "The package is on no registry yet. Do not install a package of this name from a registry: it is another one, and would",
        "get your secrets. Install the tarball of a release, and commit it with package.json, so that CI and images have it:",
        "",
        "```sh",
        ...fetchCommandsOf("release"),
        `npm install ./${TARBALL_NAME}`,
        "```",
        "",
        "A checkout makes the same file with `npm run package -- ../my-app`.",
      ),
      registries: lines("```sh", "npm install sophia-run", "```"),
    },
  },
  {
    files: ["docs/first-value.md", "examples/docker/README.md", "examples/npm-scripts/README.md"],
    texts: texts((at) => lines(...fetchCommandsOf(at), `npm install ${installed[at]}`)),
  },
  {
    files: ["docs/recipes.md"],
    texts: texts((at) => lines(...fetchCommandsOf(at), `npm install --global ${installed[at]}`)),
  },
  {
    files: ["docs/standalone.md"],
    texts: {
      checkout: lines(
        "and options of the npm package. No release exists yet: a checkout [builds](#build) the file.",
        "",
        "```sh",
        "npm run build:standalone",
        "install -D -m 755 dist-standalone/sophia-run-linux-x64 ~/.local/bin/sophia-run",
        "```",
      ),
      ...same({
        released: lines(
          "and options of the npm package. A release has the files; [SECURITY.md](../SECURITY.md#check-what-you-have) verifies a",
          "download, and [a build](#build) makes the same ones.",
          "",
          "```sh",
          `curl -fLO ${RELEASE_URL}/sophia-run-linux-x64`,
          "install -D -m 755 sophia-run-linux-x64 ~/.local/bin/sophia-run",
          "```",
        ),
      }),
    },
  },
  {
    files: ["examples/python/README.md"],
    texts: {
      checkout: lines(
        "```sh",
        ...commandsOfCheckout("--python "),
        `pip install ./${wheelName("*_$(uname -m)")}`,
        "sophia-run -- uvicorn main:app",
        "sophia-run -- gunicorn --worker-class asgi main:app",
        "sophia-run -- pytest",
        "```",
        "",
        "No release exists yet, and the package is on no registry: a checkout makes its wheel, for Linux with glibc or musl. With",
        "uv: `uv add` and the same file, then `uv run sophia-run -- uvicorn main:app`. The package is one",
      ),
      release: lines(
        "```sh",
        `pip install "${RELEASE_URL}/${WHEEL}"`,
        "sophia-run -- uvicorn main:app",
        "sophia-run -- gunicorn --worker-class asgi main:app",
        "sophia-run -- pytest",
        "```",
        "",
        "The package is on no registry yet, so this is the wheel of a release, for Linux with glibc or musl. With uv: `uv add`",
        "and the same address, then `uv run sophia-run -- uvicorn main:app`. The package is one",
      ),
      registries: lines(
        "```sh",
        "pip install sophia-run",
        "sophia-run -- uvicorn main:app",
        "sophia-run -- gunicorn --worker-class asgi main:app",
        "sophia-run -- pytest",
        "```",
        "",
        "With uv: `uv add sophia-run`, then `uv run sophia-run -- uvicorn main:app`. The package is one",
      ),
    },
  },
  {
    files: ["examples/python/README.md"],
    texts: texts((at) =>
      lines(
        ...(at === "registries" ? ["npm pack sophia-run"] : fetchCommandsOf(at)),
        "docker build --tag sophia-service .",
      ),
    ),
  },
  {
    files: ["examples/python/pyproject.toml"],
    texts: {
      checkout: lines(
        "# Without a release sophia-run is a file, which the README installs: a dependency may have an address, and no path.",
        'dependencies = ["fastapi", "gunicorn", "uvicorn"]',
      ),
      release: lines(
        "dependencies = [",
        '  "fastapi",',
        '  "gunicorn",',
        `  "sophia-run @ ${RELEASE_URL}/${wheelName(linuxWheelTag("x86_64"))} ; sys_platform == 'linux' and platform_machine == 'x86_64'",`,
        '  "uvicorn",',
        "]",
      ),
      registries: 'dependencies = ["fastapi", "gunicorn", "sophia-run", "uvicorn"]',
    },
  },
  {
    files: ["docs/github-action.md"],
    texts: {
      checkout: lines(
        `${NO_TAG} \`v${VERSION}\`. Until then start the program in a step`,
        "([job.yml](../examples/actions/job.yml)), or name a commit of your fork that has [the bundle](#the-bundle). Pin the",
        "action to a commit, like every action that sees secrets.",
      ),
      ...same({
        released: lines(
          "The example names a tag to be readable. Pin the action to the commit of a release, like every action that sees secrets.",
        ),
      }),
    },
  },
  ...Object.entries(WORKFLOWS).map(([file, next]): Passage => ({
    files: [file],
    texts: {
      checkout: lines(`# ${NO_TAG} v${VERSION}: docs/github-action.md says what to do until then.`, next),
      ...same({ released: next }),
    },
  })),
  {
    files: ["SECURITY.md"],
    texts: {
      checkout: "No release exists yet. Everything will be published by",
      ...same({ released: "Everything is published by" }),
    },
  },
];

/** The same text for both states in which a release exists. */
function same({ released }: { readonly released: string }): { readonly release: string; readonly registries: string } {
  return { release: released, registries: released };
}

/** Texts that no document may have in a state outside of the passages: addresses of a release, or words for the time before it. */
const FORBIDDEN: Readonly<Record<Distribution, RegExp>> = {
  checkout: /releases\/(?:download|latest)\b|\ba release has the files\b|from a \[?release\b/i,
  release: /no release exists|(?:run package -- (?:--python )?\.$)/i,
  registries: /no release exists|(?:run package -- (?:--python )?\.$)|on no registry/i,
};
/** How the action is named. Without a release a page that does so says that there is none. */
const ACTION = /sophia-platform\/sophia-run@v/;

function documents(): readonly string[] {
  const below = ["docs", "examples", "skills"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/\.(?:svg|tgz|whl|json)$/.test(entry.name))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
      .filter((path) => !/node_modules|^docs\/(?:maintaining\.md|measurements\/)/.test(path)),
  );
  return [...below, "README.md", "SECRETS.md", "SECURITY.md", "CONTRIBUTING.md", "llms.txt", "action.yml"];
}

/** Matches a text as the formatter may have wrapped it. */
function wrapped(text: string): RegExp {
  const words = text.split(/\s+/).map((word) => word.replaceAll(/[$()*+./?[\\\]^{|}]/g, String.raw`\$&`));
  return new RegExp(words.join(String.raw`\s+`));
}

/** Returns the state whose text a document has. The longest is looked for first, since one may hold another. */
function stateOf(text: string, { texts: all }: Passage): Distribution | undefined {
  const states = (["checkout", "release", "registries"] as const).toSorted((a, b) => all[b].length - all[a].length);
  const found = states.find((state) => wrapped(all[state]).test(text));
  return found !== undefined && all[found] === all[DISTRIBUTION] ? DISTRIBUTION : found;
}

function problemsOf(file: string, text: string): readonly string[] {
  const passages = PASSAGES.filter(({ files }) => files.includes(file));
  const rest = passages.reduce((whole, { texts: all }) => whole.replace(wrapped(all[DISTRIBUTION]), ""), text);
  const isUnsaid = DISTRIBUTION === "checkout" && ACTION.test(text) && !/no release exists/i.test(text);
  return [
    ...passages
      .filter((passage) => stateOf(text, passage) !== DISTRIBUTION)
      .map(() => "has a passage of another state"),
    ...rest.split("\n").flatMap((line) => (FORBIDDEN[DISTRIBUTION].test(line) ? [line.trim()] : [])),
    ...(isUnsaid ? ["names a tag of the action, and not that there is none yet"] : []),
  ];
}

async function rewritten(file: string, text: string): Promise<string> {
  const changed = PASSAGES.filter(({ files }) => files.includes(file)).reduce((whole, passage) => {
    const state = stateOf(whole, passage);
    if (state === undefined) throw new Error(`${file} has no text like ${JSON.stringify(passage.texts[DISTRIBUTION])}`);
    return whole.replace(wrapped(passage.texts[state]), () => passage.texts[DISTRIBUTION]);
  }, text);
  if (!file.endsWith(".md")) return changed;
  const { code } = await format(file, changed, FORMAT);
  return code;
}

const read = (file: string): string => readFileSync(join(root, file), "utf8");

if (process.argv.includes("--write")) {
  for (const file of new Set(PASSAGES.flatMap(({ files }) => files))) {
    writeFileSync(join(root, file), await rewritten(file, read(file)));
  }
} else {
  const problems = documents().flatMap((file) => problemsOf(file, read(file)).map((problem) => `${file}: ${problem}`));
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) {
    console.error(
      `DISTRIBUTION in src/commands/parts/distribution.ts is ${DISTRIBUTION}: npm run docs writes the passages`,
    );
    process.exitCode = 1;
  }
}
