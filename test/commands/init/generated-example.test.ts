import { expect, test } from "vitest";
import { parseGeneratedFile } from "../../../src/commands/init/generated-example.ts";

const LABELLED = { secret: true, required: false };

test("init restores variables and groups from a .env.example that docs wrote", () => {
  const text = [
    "# Storage: exactly one of S3, GCS and DISK must be set.",
    "# Object storage 2: one of B or A must be set; if several are set, the first in this order is used.",
    "# Mail: all or none of HOST and PORT must be set.",
    "# Any: at least one of X and Y must be set.",
    "",
    "# The access (required)",
    "ESC_ENV=",
    "# (required)",
    "ESC_TOKEN=",
    "",
    "# Database (of orders) (required)",
    "# Where the orders are stored.",
    "# In PostgreSQL.",
    "# Format: a URL",
    "# Example: postgres://localhost/orders",
    "# Default: postgres://localhost/default",
    "# See https://example.test/orders",
    "DATABASE_URL=",
    "",
    "# (exactly one of Storage; required)",
    "DISK=",
    "# Google (exactly one of Storage)",
    "export GCS=",
    "# Amazon (exactly one of Storage)",
    "S3=",
    "",
    "# (one of Object storage 2)",
    "A=",
    "# (one of Object storage 2; all or none of Mail)",
    "B=",
    "# (all or none of Mail)",
    "HOST=",
    "# (at least one of Any)",
    "X=",
    "# (optional)",
    "# Deprecated: use X",
    "# Example: x",
    "OLD=",
    "# (optional)",
    "# Set by sophia-run --broker, for KEY.",
    "KEY_BASE_URL=",
  ].join("\n");
  expect(parseGeneratedFile(text)).toEqual({
    candidates: [
      {
        name: "DATABASE_URL",
        required: true,
        secret: true,
        label: "Database (of orders)",
        description: "Where the orders are stored.\nIn PostgreSQL.",
        example: "postgres://localhost/orders",
        default: "postgres://localhost/default",
        docs: "https://example.test/orders",
      },
      { name: "DISK", required: true, secret: true },
      { ...LABELLED, name: "GCS", label: "Google" },
      { ...LABELLED, name: "S3", label: "Amazon" },
      { ...LABELLED, name: "A" },
      { ...LABELLED, name: "B" },
      { ...LABELLED, name: "HOST" },
      { ...LABELLED, name: "X" },
      { ...LABELLED, name: "OLD", example: "x" },
    ],
    groups: [
      { label: "Storage", rule: "exactly-one", variables: ["S3", "GCS", "DISK"] },
      { label: "Object storage 2", rule: "one-of", variables: ["B", "A"] },
      { label: "Mail", rule: "all-or-none", variables: ["HOST", "B"] },
      { label: "Any", rule: "at-least-one", variables: ["X"] },
    ],
  });
});

test.each([
  ["a variable without a comment", "A=1", [{ name: "A", required: true, secret: true }]],
  ["a name with dots and dashes", "a.b-c_1=", [{ name: "a.b-c_1", required: true, secret: true }]],
  [
    "a comment without rules",
    "# About A.\n#Example: x\n# Format: y\nA=1",
    [{ name: "A", required: true, secret: true, description: "About A.\nExample: x\nFormat: y" }],
  ],
  [
    "comments that a line separates",
    "# (optional)\n\n# About A.\nA=",
    [{ name: "A", required: true, secret: true, description: "About A." }],
  ],
  ["rules in the middle of a line", "# (a) b\nA=", [{ name: "A", required: true, secret: true, description: "(a) b" }]],
  [
    "brackets within brackets",
    "# x (a(b))\nA=",
    [{ name: "A", required: true, secret: true, description: "x (a(b))" }],
  ],
  [
    "line breaks of Windows",
    "# A (optional)\r\n# About.\r\nA=\r\n",
    [{ ...LABELLED, name: "A", label: "A", description: "About." }],
  ],
  ["line breaks of an old Mac", "# A (optional)\rA=\r", [{ ...LABELLED, name: "A", label: "A" }]],
  ["an indented comment", " # (optional)\nA=", [{ name: "A", required: true, secret: true }]],
  ["a commented assignment", "# A=1\n#B=2\n x C=3", []],
  ["an indented assignment", " A=1", []],
  [
    "a fact in the middle of a line",
    "# (optional)\n# No Format: x\nA=",
    [{ ...LABELLED, name: "A", description: "No Format: x" }],
  ],
])("init keeps to the form of a file that docs wrote: %s", (_, text, candidates) => {
  expect(parseGeneratedFile(text)).toEqual({ candidates, groups: [] });
});

test("init takes a sentence of a description that begins with `See` for no address of a document", () => {
  const text =
    "# A (optional)\n# See the wiki.\n# See https://a.test for more.\n# Default: x\n# See b\n# See http://b.test\nA=\n";
  expect(parseGeneratedFile(text).candidates).toEqual([
    {
      name: "A",
      required: false,
      secret: true,
      label: "A",
      description: "See the wiki.\nSee https://a.test for more.",
      default: "x",
      docs: "http://b.test",
    },
  ]);
});

test("the order of a group whose sentence is missing is that of the file; unknown names come last", () => {
  const blocks = ["C", "A", "B"].map((name) => `# (one of G)\n${name}=\n`).join("");
  expect(parseGeneratedFile(blocks).groups[0]?.variables).toEqual(["C", "A", "B"]);
  expect(parseGeneratedFile(`# G: one of B, A must be set.\n\n${blocks}`).groups[0]?.variables).toEqual([
    "B",
    "A",
    "C",
  ]);
  expect(parseGeneratedFile(`# H: one of B, A must be set.\n\n${blocks}`).groups[0]?.variables).toEqual([
    "C",
    "A",
    "B",
  ]);
  expect(parseGeneratedFile("# (other rule)\nA=\n").groups).toEqual([]);
});
