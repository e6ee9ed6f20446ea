import { describe, expect, test } from "vitest";
import { findGoReads } from "../../../../src/commands/parts/code/go-reads.ts";
import { findComposeReads, findDockerfileReads } from "../../../../src/commands/parts/code/image-reads.ts";
import { createLineNumberFinder } from "../../../../src/commands/parts/code/line-numbers.ts";
import { findPythonReads } from "../../../../src/commands/parts/code/python-reads.ts";
import type { VariableReads } from "../../../../src/commands/parts/code/reads.ts";
import { findRustReads } from "../../../../src/commands/parts/code/rust-reads.ts";
import { findScriptReads } from "../../../../src/commands/parts/code/script-reads.ts";
import { findShellReads } from "../../../../src/commands/parts/code/shell-reads.ts";

/** Names, those that are required with a mark, in the order of the text. */
function markRequired(reads: VariableReads): readonly string[] {
  return reads.toSorted((a, b) => a.offset - b.offset).map(({ name, isRequired }) => (isRequired ? `${name}!` : name));
}

describe("reading code in Go", () => {
  test.each([
    ['key := os.Getenv("A")', ["A"]],
    ['key, ok := os.LookupEnv("A")\n\tif !ok {\n\t\tlog.Fatal("A")\n\t}', ["A!"]],
    ['if os.Getenv("A") == "" {\n\tpanic("A")\n}', ["A!"]],
    ['if v := os.Getenv("A"); v == "" {\n\treturn nil, errors.New("A")\n}', ["A!"]],
    ['v := os.Getenv("A")\n\t// It may be empty.\n\tif v == "" {\n\t\tv = "x"\n\t}', ["A"]],
    ['a := mustGetenv("A")\nb := getEnvOr("B", "x")\nos.Setenv("C", "x")\nt.Setenv("D", "")', ["A!", "B"]],
    ['type C struct {\n\tA string `env:"A,required"`\n\tB int `json:"b" env:"B" envDefault:"3"`\n}', ["A!", "B"]],
    [
      'type C struct {\n\tA string `envconfig:"A" required:"true"`\n\tB string `env:"B,required" envDefault:"x"`\n}',
      ["A!", "B"],
    ],
    ['type C struct {\n\tIn I `envPrefix:"X_"`\n}\ntype I struct {\n\tA string `env:"A"`\n}', []],
    ['viper.BindEnv("key", "A", "B")', ["A", "B"]],
    [
      'type C struct {\n\tDebug bool\n\tURL string `split_words:"true" required:"true"`\n\tAPIKeyID *string `envconfig:"key"`\n\tDBHost string `split_words:"true" default:"x" required:"true"`\n\tIn Inner\n\tNo int `ignored:"true"`\n}\nenvconfig.MustProcess("my", &c)',
      ["MY_DEBUG", "MY_URL!", "MY_KEY", "MY_DB_HOST"],
    ],
    [
      'type C struct {\n\tPort int\n\tKey string `envconfig:"API_KEY" required:"true"`\n}\ntype Other struct {\n\tName string\n}\nerr := envconfig.Process("", &c)',
      ["PORT", "API_KEY!"],
    ],
    ['type C struct {\n\tA string `env:"A, required"`\n}\nenvconfig.Process(ctx, &c)', ["A!"]],
  ] as const)("finds the variables of %s", (text, names) => {
    expect(markRequired(findGoReads(text))).toEqual(names);
  });
});

describe("reading code in Rust", () => {
  test.each([
    ['std::env::var("A")?', ["A!"]],
    ['env::var("A").unwrap_or_default()', ["A"]],
    ['env::var("A")\n    .context("A is not set")?', ["A!"]],
    ['env::var("A").map_err(|e| Error::from(e))?', ["A!"]],
    ['dotenvy::var("A").expect("A"); env::var_os("B")', ["A!", "B"]],
    ['env!("A"); option_env!("B"); my_env!("C")', ["A!", "B"]],
    [
      'use clap::Parser;\n#[arg(long, env = "A")]\nkey: String,\n#[arg(long, env = "B", default_value = "x")]\npub url: String,',
      ["A!", "B"],
    ],
    ["use clap::Parser;\n#[clap(long, env)]\n#[serde(skip)]\npub(crate) api_key: Option<String>,", ["API_KEY"]],
    ['use clap::Arg;\nArg::new("a").env("A"); Command::new("x").env("B", "y")', ["A"]],
    ['#[arg(env = "A")]\nkey: String', []],
  ] as const)("finds the variables of %s", (text, names) => {
    expect(markRequired(findRustReads(text))).toEqual(names);
  });
});

describe("reading a shell script", () => {
  test.each([
    ['curl -H "key: $A" "${B}" ${C:-x} ${D:?not set}', ["A", "B", "C", "D!"]],
    ["A=1\necho $A $B", ["B"]],
    ['A="${A:-x}"\necho "$A"', ["A", "A"]],
    ["for A in 1 2; do echo $A; done\nread -r B\necho $B", []],
    ["echo 'not $A' \\$B # nor $C\necho \"isn't $D\"", ["D"]],
    ["cat <<EOF\nisn't $A\nEOF\ncat <<'EOF'\n$B\nEOF\necho $C", ["A", "C"]],
    ["cat <<A <<-'B'\n$X\nA\n$Y\n\tB\necho $C", ["X", "C"]],
    ["set -euo pipefail\necho $A ${B:-x} ${C}", ["A!", "B", "C!"]],
    ["source lib.sh\necho $A ${B:?}", ["B!"]],
    [". ./.env\necho $A", ["A"]],
    ["echo $RANDOM $BASH_VERSION $lower $1 $#; printenv A", ["A"]],
    ["docker run -e A=$A image", ["A"]],
    ["echo 'no end $A", []],
    ["cat <<EOF\n$A", ["A"]],
  ] as const)("finds the variables of %s", (text, names) => {
    expect(markRequired(findShellReads(text))).toEqual(names);
  });
});

describe("reading files of images", () => {
  test.each([
    ["FROM x\nARG A\nENV B=1 C=2\nRUN echo $D\nCMD exec app --key $E --port $B", ["E"]],
    ['ENTRYPOINT ["sh", "-c", "exec app ${A:?}"]\nCMD ["app", "$B"]', ["A!"]],
    ["ENV A x\nHEALTHCHECK --interval=5s CMD curl \\\n  # a comment $C\n  localhost:$B/$A", ["B"]],
  ] as const)("finds the variables of a Dockerfile: %s", (text, names) => {
    expect(markRequired(findDockerfileReads(text))).toEqual(names);
  });

  test.each([
    ["services:\n  a:\n    image: app:${A:?set A}\n    command: echo $$B $C ${D:-${E}}", ["A!", "C", "D", "E"]],
    [
      "services:\n  a:\n    environment:\n      - A\n      - B=1\n      # - X\n      - C=${D}\n    ports:\n      - 80",
      ["A", "D"],
    ],
    [
      "services:\n  a:\n    environment:\n    - A\n    restart: always\n  b:\n    environment:\n      B:\n      C: x",
      ["A", "B"],
    ],
    ['secrets:\n  key:\n    environment: "A"\n  other:\n    file: ./x', ["A"]],
  ] as const)("finds the variables of Compose: %s", (text, names) => {
    expect(markRequired(findComposeReads(text))).toEqual(names);
  });
});

test("a variable that code only sets or deletes is not reported as read", () => {
  expect(
    markRequired(
      findScriptReads('process.env.A = "x"; delete process.env.B; process.env.C ??= "x"; process.env.D === "x"'),
    ),
  ).toEqual(["C", "D"]);
});

test.each([
  ["const env = process.env as Record<string, string>;\nenv.A", ["A"]],
  ["const env: NodeJS.ProcessEnv = process.env;\nenv.A; other.env.B", ["A"]],
  ["const env = import.meta.env;\nenv.A", ["A"]],
  ["export function load(env = process.env) {\n  return env.A;\n}", ["A"]],
  ["function load(path: string, env: NodeJS.ProcessEnv = process.env) {\n  return env['A'];\n}", ["A"]],
  ["(process.env as any).A; ( process.env )['B']", ["A", "B"]],
  ["if (!('A' in process.env)) fail()", ["A"]],
  ["const env = process.env.NODE_ENV;\nenv.A", ["NODE_ENV"]],
  ["spawn(file, { env: process.env }); env.A", []],
] as const)("JavaScript's environment is recognized by another name, and with types around it: %s", (text, names) => {
  expect(markRequired(findScriptReads(text))).toEqual(names);
});

test.each([
  ['env = os.environ\nenv["A"]; env.get("B"); env["C"] = "1"', ["A!", "B"]],
  ['env: Mapping[str, str] = environ  # of all\nenv["A"]', ["A!"]],
  ['from os import path, environ as env\nenv.get("A")', ["A"]],
  ['if "A" not in os.environ:\n    fail()', ["A"]],
  ['os.getenv(key="A")', ["A"]],
  ['env = os.environ.copy()\nenv["A"]', []],
  ['"A" in os.environ.values()', []],
] as const)("Python's environment is recognized by another name, with its content: %s", (text, names) => {
  expect(markRequired(findPythonReads(text))).toEqual(names);
});

test("code for browsers reads with ?., too", () => {
  const text = [
    'process?.env?.A; globalThis.process?.env["B"]; process?.env?.["C"];',
    "const { D, E } = process?.env;",
    "const local = import.meta?.env?.F;",
    'if (!local) throw new Error("F is missing");',
    "const env = process?.env;",
    "env?.G",
  ].join("\n");
  expect(markRequired(findScriptReads(text)).toSorted()).toEqual(["A", "B", "C", "D", "E", "F!", "G"]);
});

test.each([
  [findScriptReads, 'const { A,\n  B: b } = process.env;\nenv.get("X");\nprocess.env.C', { A: 1, B: 2, C: 4 }],
  [
    findPythonReads,
    'from pydantic_settings import BaseSettings\r\nclass S(BaseSettings):\r\n    """Text\r\n\r\n    a: int\r\n    """\r\n    a: str\r\n\r\nos.environ["B"]',
    { A: 7, B: 9 },
  ],
  [findComposeReads, "a:\n  environment:\n    - A\n    - B=$C\n", { A: 3, C: 4 }],
  [findDockerfileReads, "FROM x\nCMD app \\\n  $A\n", { A: 3 }],
  [findShellReads, "cat <<'X'\n$A\nX\necho '\n' $B", { B: 5 }],
] as const)("each variable is reported with its line: %o", (readsOf, text, lines) => {
  const lineOf = createLineNumberFinder(text);
  expect(Object.fromEntries(readsOf(text).map(({ name, offset }) => [name, lineOf(offset)]))).toEqual(lines);
});
