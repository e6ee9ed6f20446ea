import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Cleaner } from "../../../src/esc/transport/answer.ts";
import { Secret } from "../../../src/esc/settings/secret.ts";
import { formatDiagnostic } from "../../../src/core/model.ts";
import { type EscServer, startEscServer } from "../../esc-server/index.ts";
import { expectWording } from "../../helpers/wording.ts";
import { expectFailure } from "../expect-failure.ts";
import { closeStrictly, expectEscFailure, expectEscReading } from "../read-esc.ts";

let server: EscServer;
beforeEach(async () => {
  server = await startEscServer();
  server.environment("demo-org/sophia/dev", { values: { A: "x" } });
});
afterEach(() => closeStrictly(server));

function accessVariables(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { ESC_ENV: "demo-org/sophia/dev", ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url, ...more };
}

function place(line: number, column: number) {
  return { line, column, byte: 0 };
}

const FIRST = {
  summary: 'unknown property "a"',
  path: "values.b",
  range: { environment: "sophia/dev", begin: place(7, 21), end: place(7, 25) },
};

describe("a broken definition", () => {
  test("is shown with every place", async () => {
    const second = { summary: "no place" };
    const third = {
      summary: "a warning\nin two lines",
      severity: "warning" as const,
      range: { environment: "shared/base", begin: place(1, 1), end: place(1, 2) },
    };
    server.failAlways("open", { kind: "diagnostics", diagnostics: [FIRST, second, third] });
    const failure = await expectEscFailure(accessVariables());
    expectFailure(failure);
    expect(failure).toMatchObject({
      code: "esc-definition",
      hint: expect.stringContaining("pulumi env edit demo-org/sophia/dev"),
      details: [
        'sophia/dev:7:21: unknown property "a" (values.b)',
        "no place",
        "shared/base:1:1: warning: a warning\\nin two lines",
      ],
    });
  });

  test.each([400, 422, 500, 200])("is recognized by its diagnostics with status %i", async (status) => {
    server.failAlways("open", { kind: "diagnostics", diagnostics: [FIRST], status, code: null });
    const failure = await expectEscFailure(accessVariables());
    expect(failure).toMatchObject({
      code: "esc-definition",
      message: expect.stringContaining(`(HTTP ${status})`),
    });
    expect(failure.details?.[0]).toBe('sophia/dev:7:21: unknown property "a" (values.b)');
  });

  test("with very many errors is shown in part", async () => {
    const diagnostics = Array.from({ length: 50 }, (_, index) => ({ summary: `fault ${index}` }));
    server.failAlways("open", { kind: "diagnostics", diagnostics });
    const { details = [] } = await expectEscFailure(accessVariables());
    expect(details).toHaveLength(21);
    expect(details.at(-1)).toBe("and 30 more");
  });

  test.each(["list", "object"] as const)(
    "with only warnings is read, and the warnings are shown (%s)",
    async (shape) => {
      const warning = { ...FIRST, severity: "warning" as const };
      server.failAlways("open", { kind: "warnings", diagnostics: [warning], shape });
      const result = await expectEscReading(accessVariables());
      expect(result.notices).toEqual([
        {
          kind: "esc-diagnostics",
          environment: "demo-org/sophia/dev",
          diagnostics: [
            {
              severity: "warning",
              summary: 'unknown property "a"',
              environment: "sophia/dev",
              line: 7,
              column: 21,
              path: "values.b",
            },
          ],
        },
      ]);
    },
  );

  test("is reported without its malformed diagnostics", async () => {
    const body = { code: 400, message: "bad", diagnostics: [null, 7, { summary: 8 }, { range: "x", summary: "ok" }] };
    server.failAlways("open", { kind: "status", status: 400, body });
    expect((await expectEscFailure(accessVariables())).details).toEqual(["ok"]);
    server.heal();
    server.failAlways("open", { kind: "status", status: 400, body: { ...body, diagnostics: "none" } });
    const failure = await expectEscFailure(accessVariables());
    expect(failure.code).toBe("esc-status");
    expect(failure.details).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+: bad$/)]);
  });
});

test("a failure of authentication names the credential in use", async () => {
  const folder = await mkdtemp(join(tmpdir(), "esc-wording-"));
  const file = join(folder, "token");
  await writeFile(file, "pul-wrong\n");
  const hints = [
    (await expectEscFailure(accessVariables({ ESC_TOKEN: "pul-wrong" }))).hint,
    (await expectEscFailure(accessVariables({ ESC_TOKEN: "", ESC_TOKEN_FILE: file }))).hint,
  ];
  expect(hints).toEqual([expect.stringContaining("ESC_TOKEN"), expect.stringContaining(`ESC_TOKEN_FILE (${file})`)]);
  expectWording(hints.join("\n"));
  await rm(folder, { recursive: true });
});

describe("text of the service", () => {
  test("is shown without the token, on one line of limited length", async () => {
    const message = `token ${server.token} (Basic ${Buffer.from(server.token).toString("base64")})\nis\u001B[31m bad ${"x".repeat(400)}`;
    server.failAlways("open", { kind: "status", status: 401, body: { code: 401, message } });
    const { details = [] } = await expectEscFailure(accessVariables());
    expect(details).toHaveLength(1);
    expect(details[0]).toMatch(/^127\.0\.0\.1:\d+: token \*\*\* \(Basic \*\*\*\)\\nis\\u001b\[31m bad x+…$/);
    expect(details[0]?.length).toBeLessThan(330);
  });

  test("is not shown for a server error; its request ID is", async () => {
    const body = { code: 500, message: "a secret of yours" };
    const headers = { "X-Pulumi-Request-ID": "1234-abcd" };
    server.failAlways("open", { kind: "status", status: 500, body, headers });
    expect((await expectEscFailure(accessVariables())).details).toEqual(["request ID 1234-abcd"]);
  });

  test.each([401, 403, 404])(
    "is not shown if it is a web page (HTTP %d), of which the cause is named",
    async (status) => {
      server.failAlways("open", { kind: "html", status, body: "<p>a secret of yours</p>" });
      const page =
        "the answer is a web page: a proxy or a network that requires a sign-in may have answered instead of the service";
      expect((await expectEscFailure(accessVariables())).details).toEqual([page]);
    },
  );
});

test("a failure names both meanings of a name with two parts", async () => {
  const failure = await expectEscFailure(accessVariables({ ESC_ENV: "sophia/gone@3", ESC_ORG: "demo-org" }));
  expect(failure.details?.[0]).toMatch(/demo-org\/sophia\/gone .*sophia\/default\/gone/);
  expectFailure(failure);
});

describe("the function that removes secrets from text of the service", () => {
  const cleaner = new Cleaner();
  for (const text of ["tok+en/1", "tok+en/12345", ""]) cleaner.hide(new Secret(text));

  test.each([
    ["tok+en/12345 and tok+en/1", "*** and ***"],
    ["tok%2Ben%2F1", "***"],
    ["tok%2ben%2f1", "***"],
    ["https://TOK+EN/1/", "https://***/"],
    [Buffer.from("tok+en/12345").toString("base64"), "***"],
    ["tok+en", "tok+en"],
    ["  spaces \t", "spaces"],
    ["a\u0000b\u2028c\u202Ed", "a\\u0000b\\u2028c\\u202ed"],
  ])("%s", (text, expected) => {
    expect(cleaner.clean(text)).toBe(expected);
  });

  // The most that a variable may have, and four times the length of a pattern that V8 takes.
  test("masks a value of 128 KiB, whatever is around it", () => {
    const long = new Cleaner();
    const value = "Part-0123456789/".repeat(8192);
    long.hide(new Secret(value));
    expect(long.clean(`İ: ${value}, ${value.toUpperCase()} and ${encodeURIComponent(value)}.`)).toBe(
      "İ: ***, *** and ***.",
    );
  });
});

test.each([
  [{ severity: "error" as const, summary: "s" }, "s"],
  [{ severity: "error" as const, summary: "s", environment: "a/b" }, "a/b: s"],
  [{ severity: "error" as const, summary: "s", environment: "a/b", line: 3 }, "a/b:3: s"],
  [{ severity: "error" as const, summary: "s", environment: "a/b", column: 3 }, "a/b: s"],
  [{ severity: "warning" as const, summary: "s", line: 1, column: 2, path: "p" }, "1:2: warning: s (p)"],
])("%o reads %s", (diagnostic, expected) => {
  expect(formatDiagnostic(diagnostic)).toBe(expected);
});
