/** The executable and the package run the same code in two JavaScript engines, and must give the same results. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { NAMED_FORMATS } from "../../contract/arbitrary-contracts.ts";
import { caseCount } from "../../helpers/seed.ts";
import { notLinux, skipBecause } from "../../helpers/skip.ts";
import { folder, unwrapLines } from "../../helpers/sophia.ts";
import { executable, noExecutable } from "../../helpers/executables.ts";

const root = join(import.meta.dirname, "../../..");

skipBecause(notLinux ?? noExecutable);

const name = fc.constantFrom("PLAIN", "SERVICE_URL", "SERVICE_TOKEN", "PORT", "ÜNÏ", "DOTTED.NAME");
const VALUES = `true|8080|65536|1e3|007|https://a.example/x?y=1|http://[::1]:80/|https://a:99999|postgres://u:p@h:5/db|
  {"a":[1]}|aGVsbG8=|a@b.c|changeme|<your token>|$HOME \${X:-y}|a #b|\u00a0x |\ufeffz|e\u0301|\u{1f642}|\\n\\t\\`.split(
  "|",
);
const value = fc.oneof(
  fc.constantFrom("", "line\nbreak", ...VALUES),
  fc.string({ unit: "grapheme", maxLength: 12 }).filter((text) => !text.includes("\0")),
);
const line = fc
  .tuple(
    fc.constantFrom("", "export "),
    name,
    fc.constantFrom("=", " = ", ": "),
    fc.constantFrom("", '"', "'", "`"),
    value,
  )
  .map(([before, key, sign, quote, text]) => `${before}${key}${sign}${quote}${text}${quote}`);
const dotenv = fc
  .tuple(
    fc.array(fc.oneof({ weight: 4, arbitrary: line }, { weight: 1, arbitrary: value })),
    fc.constantFrom("\n", "\r\n"),
  )
  .map(([lines, end]) => lines.join(end));
const variable = fc.oneof(
  { weight: 3, arbitrary: fc.record({ secret: fc.boolean(), default: value, label: fc.constantFrom("Läbel", "x") }) },
  {
    weight: 1,
    arbitrary: fc.record(
      {
        required: fc.boolean(),
        format: fc.constantFrom(...NAMED_FORMATS),
      },
      { requiredKeys: ["format"] },
    ),
  },
);
const contract = fc.record(
  { variables: fc.dictionary(fc.constantFrom("PLAIN", "SERVICE_URL", "SERVICE_TOKEN", "PORT"), variable) },
  { requiredKeys: ["variables"] },
);
const options = fc.subarray([
  "-q",
  "--only-declared",
  "--include=P*,S*,PATH",
  "--exclude=*_TOKEN",
  "--prefer=esc",
  "-v",
]);

/** Runs the executable and the package, and returns both results. */
const runBothForms = (args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = { PATH: process.env["PATH"] }) =>
  [[executable], [process.execPath, join(root, "bin/sophia-run")]].map(([command = "", ...words]) => {
    const { status, stdout, stderr } = spawnSync(command, [...words, ...args], {
      cwd,
      env,
      encoding: "utf8",
      maxBuffer: 64 << 20,
    });
    return { status, stdout, stderr };
  });

it("a pattern that takes too long ends a start at the same variable in both engines", () => {
  const slow = { format: { type: "text", pattern: "(a|b)*a(a|b){200}c?" } };
  const variables = { QUICK: { format: { type: "text", pattern: "[a-z]+" } }, FIRST: slow, SECOND: slow };
  const cwd = folder({ "sophia.contract.json": JSON.stringify({ variables }) });
  const letters = (start: number, length: number): string => {
    let text = "";
    for (let bits = start; text.length < length; bits = (bits * 48_271) % 0x7fff_ffff)
      text += bits % 2 === 0 ? "a" : "b";
    return text;
  };
  const [executableResult, packageResult] = runBothForms(["--", "true"], cwd, {
    PATH: process.env["PATH"],
    QUICK: "quick",
    FIRST: letters(1, 500),
    SECOND: letters(1, 100_000),
  });
  expect(executableResult).toStrictEqual(packageResult);
  expect(executableResult?.status).toBe(125);
  expect(unwrapLines(executableResult?.stderr ?? "")).toMatch(/slowest: SECOND/);
});

it("the executable reports thousands of violations like the package", () => {
  const names = Array.from({ length: 6000 }, (_, index) => `VARIABLE_NUMBER_${index}`);
  const variables = Object.fromEntries(names.map((each) => [each, { required: true }]));
  const cwd = folder({ "sophia.contract.json": JSON.stringify({ variables }) });
  for (const args of [["--", "true"], ["check"], ["check", "--json"], ["explain"]]) {
    const [executableResult, packageResult] = runBothForms(args, cwd);
    expect(executableResult).toStrictEqual(packageResult);
    expect(executableResult?.status).toBe(args[0] === "explain" ? 0 : args[0] === "check" ? 1 : 78);
  }
}, 60_000);

it(
  "the executable starts a program like the package",
  () => {
    const runs = caseCount(40, 2000);
    let started = 0;
    const generatedInput = fc.record({ options, dotenv, contract, environment: fc.dictionary(name, value) });
    fc.assert(
      fc.property(generatedInput, (each) => {
        const cwd = folder({ ".env": each.dotenv, "sophia.contract.json": JSON.stringify(each.contract) });
        const env = { ...each.environment, PATH: process.env["PATH"] };
        const [executableResult, packageResult] = runBothForms([...each.options, "--", "env", "-0"], cwd, env).map(
          ({ stdout, ...rest }) => ({
            ...rest,
            variables: stdout.split("\0").toSorted(),
          }),
        );
        expect(executableResult).toStrictEqual(packageResult);
        if (executableResult?.status === 0) started += 1;
      }),
      { numRuns: runs },
    );
    // All other starts have failed with the same message.
    expect(started).toBeGreaterThan(runs / 8);
  },
  caseCount(120_000, 1_100_000),
);
