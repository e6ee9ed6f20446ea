import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folder, sophia } from "../../helpers/sophia.ts";

/** As many lines as a file of code may have that is read at all (1 MiB). */
function repeatLine(line: (index: number) => string): string {
  let text = "";
  for (let index = 0; text.length < 1_000_000; index++) text += line(index);
  return text;
}

/** Files in which each name could make the whole file be searched again, and a variable that is found in each. */
const FILES = [
  ["names.js", "NAME_0", repeatLine((index) => `const o${index} = process.env;\no${index}.NAME_${index};\n`)],
  [
    "locals.js",
    "LOCAL_998",
    repeatLine((index) => (index < 999 ? `const l${index} = process.env.LOCAL_${index};\n` : "(((((((((((((\n")),
  ],
  [
    "classes.py",
    "FIELD_0",
    `import pydantic\n${repeatLine((index) => `class A${index}(BaseSettings):\n  field_${index}: str\n`)}`,
  ],
  ["fields.py", "FIELD", `import pydantic\nclass A(BaseSettings):\n${repeatLine(() => "  field: Field(\n")}`],
  [
    "bases.py",
    "FIELD",
    `import pydantic\nclass B(BaseSettings):\n  field: str\n${repeatLine(() => `class A(${"a".repeat(490)}.):\n  a: str\n`)}`,
  ],
  [
    "callers.py",
    "CALLED_0",
    `import environ\n${repeatLine((index) => `env${index} = environ.Env()\nenv${index}("CALLED_${index}")\n`)}`,
  ],
  [
    "schemas.ts",
    "FIELD_0",
    `import { z } from "zod";\nz.object({ FIELD_0: z.string() }).parse(process.env);\n${repeatLine((index) => `FIELD_${index}: z.union([z.optional([[[(((\n`)}`,
  ],
  [
    "lists.ts",
    "FIELD_0",
    `import { z } from "zod";\nparse(process.env);\n${repeatLine((index) => `const L${index} = ["a"\nFIELD_${index}: z.enum(L${index}),\n`)}`,
  ],
  ["fields.ts", "A", `import { z } from "zod";\nprocess.env.A;\n${repeatLine(() => "A: z.string().min(")}`],
  ["tests.js", "A", repeatLine(() => `const v = process.env.A;\nif (((((((( v\n=>                  `)],
  ["conditions.js", "A", repeatLine(() => `if ( if ( ? : ${"x".repeat(150)} process.env.A\n`)],
  ["tests.py", "A", repeatLine(() => `v = os.getenv("A")\nlambda lambda lambda is_is_bool(((((( v\n`)],
  ["tests.go", "A", repeatLine(() => `v := os.Getenv("A")\nlen(len(v\n`)],
  [
    "annotations.py",
    "A",
    `import pydantic\nclass S(BaseSettings):\n  a: int\n${repeatLine(() => "  b: Annotated[Annotated[Optional[Union[\n")}`,
  ],
  [
    "enums.py",
    "A",
    `import pydantic\nclass S(BaseSettings):\n  a: int\n${repeatLine((index) => `class E${index}(StrEnum):\n  x = "\n`)}`,
  ],
  [
    "validators.py",
    "A",
    `import pydantic\nclass S(BaseSettings):\n  a: int\n${repeatLine(() => "  @field_validator('a', '")}`,
  ],
  ["dotenv.js", "A", `process.env.A;require("dotenv");\n${repeatLine(() => "config(dotenv.config({ override: {\n")}`],
  ["dotenv.py", "A", `os.getenv("A");import dotenv\n${repeatLine(() => "load_dotenv(load_dotenv((\n")}`],
  ["calls.go", "CALLED_0", `os.Getenv("CALLED_0")\n${repeatLine(() => "env".repeat(1000))}`],
  ["tags.go", "TAG_0", `a string \`env:"TAG_0"\`\n${repeatLine(() => 'env:"A`')}`],
  ["guards.go", "GUARDED_0", repeatLine((index) => `v := os.Getenv("GUARDED_${index}")\n\n\n\n// if v ==\n`)],
  ["fields.rs", "FIELD", `use clap::Arg;\n#[arg(env)]\nfield: X,\n${repeatLine(() => "#[arg(env\n#[")}`],
  ["calls.rs", "CALLED_0", repeatLine((index) => `env::var("CALLED_${index}").context(.context(.context(\n`)],
  ["script.sh", "READ_0", repeatLine((index) => `echo "$READ_${index}" <<X${index}\n`)],
  ["quotes.sh", "READ_0", `echo $READ_0\n${repeatLine(() => `"\\"'<<`)}`],
  ["words.sh", "READ_0", `echo $READ_0\n${repeatLine(() => "read A B C D E F G H I J K L M N O P Q R S T U ")}`],
  ["Dockerfile", "READ_0", `CMD $READ_0\n${repeatLine(() => "ENV A=1 B=2 \\\n")}`],
  ["compose.yaml", "READ_0", `a: $READ_0\nb:\n  environment:\n${repeatLine(() => "    - A\n")}${" ".repeat(40_000)}`],
] as const;

test.each(FILES)("init reads code in a time that grows with its size alone: %s", async (name, variable, text) => {
  const cwd = folder({ [name]: text, [`other-${name}`]: text });
  const { status } = await sophia(["init", "--from", "code"], { cwd });
  expect(status).toBe(0);
  const { variables } = Object(JSON.parse(readFileSync(join(cwd, "sophia.contract.json"), "utf8")));
  expect(Object.keys(variables)).toContain(variable);
});

test("check --code looks for declared names in a time that grows with the size of the code alone", async () => {
  const variables = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`NAME_${index}`, {}]));
  const cwd = folder({
    "sophia.contract.json": JSON.stringify({ variables }),
    "a.js": `//${" NAME_1".repeat(140_000)}`,
    "b.js": "XNAME_2".repeat(140_000),
  });
  const { status, stdout } = await sophia(["check", "--code", "--json"], { cwd });
  expect(status).toBe(0);
  expect(JSON.parse(stdout).unread).toHaveLength(39);
});

test("init reads the tenth name for the environment in one file like the first", async () => {
  const text = Array.from({ length: 10 }, (_, index) => `const o${index} = process.env;\no${index}.NAME_${index};\n`);
  const cwd = folder({ "names.js": text.join("") });
  expect((await sophia(["init", "--from", "code"], { cwd })).status).toBe(0);
  const { variables } = Object(JSON.parse(readFileSync(join(cwd, "sophia.contract.json"), "utf8")));
  expect(Object.keys(variables)).toHaveLength(10);
});
