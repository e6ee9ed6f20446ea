import { describe, expect, test } from "vitest";
import { findGoReads } from "../../../../src/commands/parts/code/go-reads.ts";
import { findPythonReads } from "../../../../src/commands/parts/code/python-reads.ts";
import type { VariableReads } from "../../../../src/commands/parts/code/reads.ts";
import { findScriptReads } from "../../../../src/commands/parts/code/script-reads.ts";

/** Names that the code reads without a fallback, and without a test whether they are set. */
function findUntested(reads: VariableReads): readonly string[] {
  const names = new Set(reads.map(({ name }) => name));
  return Array.from(names).filter((name) =>
    reads.every((read) => read.name !== name || (!read.isRequired && read.isUntested === true)),
  );
}

describe("code in JavaScript", () => {
  test.each([
    "createClient({ url: process.env.A })",
    "const a = process.env.A;\nconnect(a);",
    "export const config = { url: process.env.A };",
    "const { A } = process.env;\nconnect(A);",
    "const { A: url, B = 'x' } = process.env;\nconnect(url);",
    "const env = process.env;\nconnect(env.A);",
    "new Stripe(process.env.A as string)",
    "fetch(`${process.env.A}/users`)",
    "parseInt(process.env.A, 10)",
    "createClient(process.env.A, options)",
    "process.env.A.split(',')",
    "if (isProduction) connect(process.env.A);",
    "const a: string | undefined = process.env.A;\nuse({ a });",
    "import.meta.env.A",
    "function a() { return process.env.A.split(','); }",
    "function a() { return (process.env.A as string)\n  .split(','); }",
    "const a = () => process.env.A[0];",
    "const { A } = process.env;\nconsole.log(`key of ${A.length} characters`);",
    "const a = process.env.A;\nlogger.info(a!.length);",
    // A member of what is not set fails before anything is tested.
    "if (!process.env.A.includes('x')) start();",
    "if (process.env.A.startsWith('x')) start();",
    "const a = !process.env.A[0];",
    "const { A } = process.env;\nstart(typeof A.length);",
    "start(!(process.env.A).includes('x'));",
    "start(!BigInt(process.env.A).toString());",
    "start(mode === process.env.A.toLowerCase());",
  ])("reads A and relies on it: %s", (text) => {
    expect(findUntested(findScriptReads(text))).toContain("A");
  });

  test.each([
    "process.env.A ?? 'x'",
    "process.env.A || 'x'",
    "(process.env.A as string) || 'x'",
    "Number(process.env.A) || 3000",
    "parseInt(process.env.A, 10) || 3000",
    "parseInt(process.env.A ?? '3', 10)",
    "process.env.A === '1'",
    "process.env.A !== undefined && start()",
    "process.env.A?.split(',')",
    "process.env.A ? 1 : 2",
    "isProduction ? process.env.A : 'x'",
    "isProduction ? 'x' : process.env.A",
    "const a = given ?? process.env.A;",
    "!process.env.A",
    "Boolean(process.env.A)",
    "typeof process.env.A",
    "if (process.env.A) start()",
    "if (isOn(process.env.A)) start()",
    "if (other && ready(process.env.A)) start()",
    "switch (process.env.A) {}",
    "parseBoolean(process.env.A)",
    "orElse(process.env.A, 'x')",
    "console.log('a', process.env.A)",
    "function a() { return process.env.A; }",
    "const a = () => process.env.A;",
    "function a() { return process.env.A?.split(','); }",
    "const a = () => Number(process.env.A);",
    "const { A } = process.env;\nconsole.log(`the key is ${A}`);",
    "const a = process.env.A;\nif (a) start(a);",
    "const a = process.env.A;\nconst b = a ?? 'x';",
    "const a = process.env.A as string | undefined;\nstart(a || 'x');",
    "const { A } = process.env;\nstart(A ? 1 : 2);",
    "const env = process.env;\nconst a = env.A;\nstart(a && 1);",
    "connect(process.env.A); if (!process.env.A) log();",
    "'A' in process.env && connect(process.env.A)",
    "const a = !String(process.env.A).includes('x');",
    "const a = () => Number(process.env.A).toFixed(2);",
    "if (process.env.A && process.env.A.includes('x')) start();",
    "const a = process.env.A;\nif (!a || !a.includes('x')) start();",
    "isProduction && process.env.A.split(',')",
    'import { z } from "zod";\nparse({ A: process.env.A });',
    'import { z } from "zod";\nz.object({ A: z.preprocess(orDefault, z.string()) }).parse(process.env);',
  ])("works without A: %s", (text) => {
    expect(findUntested(findScriptReads(text))).not.toContain("A");
  });
});

describe("code in Python", () => {
  test.each([
    'connect(os.getenv("A"))',
    'URL = os.environ.get("A")\nconnect(URL)',
    'DATABASES = {"default": {"PASSWORD": os.environ.get("A")}}',
    'int(os.getenv("A"))',
    'self.url = os.getenv("A")\nself.connect(self.url)',
    'return os.getenv("A").split(",")',
    'print(os.environ.get("A")[0])',
    'hosts = lambda: os.getenv("A").split(",")',
    'if not os.getenv("A").startswith("x"):\n    start()',
    'if os.environ.get("A").lower() == "x":\n    start()',
    'start(mode == os.getenv("A").lower())',
    'key = os.getenv("A")\nif not key[0]:\n    start(key)',
  ])("reads A and relies on it: %s", (text) => {
    expect(findUntested(findPythonReads(text))).toEqual(["A"]);
  });

  test.each([
    'os.getenv("A") or "x"',
    '(\n    os.getenv("A")\n    or "x"\n)',
    'os.getenv("A", "x")',
    'os.getenv("A") == "1"',
    'if os.getenv("A"):\n    pass',
    'bool(os.getenv("A"))',
    'int(os.getenv("A") or 3)',
    'x = os.getenv("A") if y else None',
    'return os.getenv("A")',
    'key = os.getenv("A")\nif key:\n    start(key)',
    'self.key = os.getenv("A")\nif self.key is not None:\n    start()',
    'key = os.getenv("A")\nstart(key or "x")',
    'print(os.getenv("A"))',
    'start(not str(os.getenv("A")).strip())',
    'if os.getenv("A") and os.getenv("A").strip():\n    start()',
    'key = os.getenv("A")\nif not key or not key.strip():\n    start()',
    'start(mode or os.getenv("A").strip())',
  ])("works without A: %s", (text) => {
    expect(findUntested(findPythonReads(text))).toEqual([]);
  });
});

describe("code in Go", () => {
  test.each(['sql.Open("postgres", os.Getenv("A"))', 'url := os.Getenv("A")\nconnect(url)'])(
    "reads A and relies on it: %s",
    (text) => expect(findUntested(findGoReads(text))).toEqual(["A"]),
  );
  test.each([
    'if os.Getenv("A") != "" {\n}',
    'url := os.Getenv("A")\nif url == "" {\n\turl = "x"\n}',
    'cmp.Or(os.Getenv("A"), "x")',
    'getEnv("A", "x")',
    'return os.Getenv("A")',
    'url, ok := os.LookupEnv("A")',
  ])("works without A: %s", (text) => expect(findUntested(findGoReads(text))).toEqual([]));
});
