/** Cases of faults of ESC: definitions that the server or a schema refuses, and values that cannot be variables. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { unknown } from "../../esc-server/index.ts";
import { type FaultCase, planServerFault, refused, unavailable } from "./case.ts";
import { SENTINEL_SECRET, SENTINEL_TOKEN } from "./sentinels.ts";

const UNKNOWN_PROPERTY = {
  summary: 'unknown property "databse"',
  path: "values.environmentVariables.DATABASE_URL",
  range: {
    environment: "sophia/dev",
    begin: { line: 7, column: 21, byte: 143 },
    end: { line: 7, column: 38, byte: 160 },
  },
};
const DENIED_IMPORT = {
  summary: 'you may not open "shared/base"',
  range: {
    environment: "sophia/dev",
    begin: { line: 2, column: 5, byte: 13 },
    end: { line: 2, column: 16, byte: 24 },
  },
};
const WARNING = { ...UNKNOWN_PROPERTY, summary: "a deprecated function", severity: "warning" } as const;

/** A definition with a schema for its port. */
function withSchema(port: string): string {
  return `values:
  environmentVariables:
    PORT: ${port}
    KEY: {"fn::secret": "${SENTINEL_SECRET}"}
  contract:
    fn::validate:
      schema: {type: object, properties: {PORT: {anyOf: [{type: string, pattern: "^[0-9]+$"}, {type: number}]}}}
      value: \${environmentVariables}
`;
}

function writeContract(folder: string): Promise<void> {
  const contract = { variables: { PORT: { format: "port" }, KEY: { required: true } } };
  return writeFile(join(folder, "sophia.contract.json"), JSON.stringify(contract), { mode: 0o600 });
}

export const DEFINITION: readonly FaultCase[] = [
  {
    fault: "400 with diagnostics",
    behaviour: "not retried; each one is shown with its place",
    expect: unavailable("esc-definition"),
    arrange: planServerFault((server) =>
      server.failAlways("open", { kind: "diagnostics", diagnostics: [UNKNOWN_PROPERTY, DENIED_IMPORT] }),
    ),
  },
  {
    fault: "400 with diagnostics and no code",
    behaviour: "the same",
    expect: unavailable("esc-definition"),
    arrange: planServerFault((server) =>
      server.failAlways("open", { kind: "diagnostics", diagnostics: [DENIED_IMPORT], code: null }),
    ),
  },
  {
    fault: "403 with diagnostics",
    behaviour: "the same",
    expect: refused("esc-forbidden"),
    arrange: planServerFault((server) =>
      server.failAlways("open", { kind: "diagnostics", diagnostics: [DENIED_IMPORT], status: 403 }),
    ),
  },
  {
    fault: "a definition that the server itself rejects",
    behaviour: "the same",
    expect: unavailable("esc-definition"),
    arrange: ({ server }) => {
      const definition = "values:\n  environmentVariables:\n    A: ${nothing.here}\n    B: { fn::unheardOf: 1 }\n";
      server.environment("demo-org/sophia/broken", { definition });
      return { ESC_ENV: "demo-org/sophia/broken" };
    },
  },
  {
    fault: "a schema refuses a value (`enforce`)",
    behaviour: "listed as `check` does; no cache",
    expect: { kind: "unmet", code: "contract-unmet" },
    startOptions: { isChecked: true },
    arrange: async ({ server, folder }) => {
      server.environment("demo-org/sophia/checked", { definition: withSchema("port 80") });
      await writeContract(folder);
      return { ESC_ENV: "demo-org/sophia/checked" };
    },
  },
  {
    fault: "a schema refuses a value that no contract declares",
    behaviour: "evaluated, and named",
    expect: unavailable("esc-schema"),
    arrange: ({ server }) => {
      server.environment("demo-org/sophia/checked", { definition: withSchema("port 80") });
      return { ESC_ENV: "demo-org/sophia/checked" };
    },
  },
  {
    fault: "a schema refuses the change of a writer (`import`)",
    behaviour: "each variable is named, with its rule",
    countedOperation: "update",
    expect: { kind: "unwritten", code: "esc-schema" },
    startOptions: { command: ["import", "new.env", "--yes"] },
    arrange: async ({ server, folder }) => {
      server.environment("demo-org/sophia/checked", { definition: withSchema("port 80") });
      await writeContract(folder);
      await writeFile(join(folder, "new.env"), "OTHER=1\n", { mode: 0o600 });
      return { ESC_ENV: "demo-org/sophia/checked", ESC_ADMIN_TOKEN: SENTINEL_TOKEN };
    },
  },
  {
    fault: "opened with warnings",
    behaviour: "continues and shows them",
    expect: { kind: "read", hasNotice: true },
    arrange: planServerFault((server) => server.failAlways("open", { kind: "warnings", diagnostics: [WARNING] })),
  },
  {
    fault: "a list, an object and an unknown value",
    behaviour: "continues without them and names them",
    expect: { kind: "read", hasNotice: true },
    arrange: ({ server }) => {
      const values = { TEXT: "x", LIST: [1], OBJECT: { a: 1 }, LATER: unknown() };
      server.environment("demo-org/sophia/shapes", { values });
      return { ESC_ENV: "demo-org/sophia/shapes" };
    },
  },
  {
    fault: "a variable name with `=`",
    behaviour: "stops: no environment variable can have it",
    expect: { kind: "stopped", code: "esc-value" },
    arrange: ({ server }) => {
      server.environment("demo-org/sophia/names", { values: { "A=B": SENTINEL_SECRET } });
      return { ESC_ENV: "demo-org/sophia/names" };
    },
  },
  {
    fault: "a value with NUL",
    behaviour: "stops: no environment variable can contain it",
    expect: { kind: "stopped", code: "esc-value" },
    arrange: ({ server }) => {
      server.environment("demo-org/sophia/nul", { values: { BINARY: `${SENTINEL_SECRET}\0rest` } });
      return { ESC_ENV: "demo-org/sophia/nul" };
    },
  },
];
