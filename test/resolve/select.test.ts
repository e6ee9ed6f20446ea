import { describe, expect, test } from "vitest";
import { resolveLayers } from "../../src/resolve/precedence.ts";
import {
  selectVariables,
  createWithholdingRule,
  type Selection,
  type WithholdingReason,
} from "../../src/resolve/select.ts";
import type { Layer, Origin } from "../../src/core/model.ts";

const DEFAULT_SELECTION: Selection = {
  onlyDeclared: false,
  pristine: false,
  include: [],
  exclude: [],
  keepEsc: false,
  usesFiles: true,
  pointers: [],
  allow: [],
  risks: new Map(),
  outOfScope: undefined,
};
const DECLARED = new Set(["DECLARED_A", "DECLARED_B"]);
const isDeclared = (name: string): boolean => DECLARED.has(name);

const ORIGINS = {
  environment: { source: "environment" },
  esc: { source: "esc", environment: "a/b/c" },
  dotenv: { source: "dotenv", file: ".env", line: 1 },
  contract: { source: "contract", file: "c" },
  fake: { source: "fake" },
} as const satisfies Record<string, Origin>;

function layerOf(source: keyof typeof ORIGINS, values: Readonly<Record<string, string>>): Layer {
  const origin = ORIGINS[source];
  return {
    source,
    variables: Object.entries(values).map(([name, value]) => ({
      name,
      value,
      secret: false,
      origin,
      delivery: "value",
    })),
  };
}

describe("the rule about withheld variables", () => {
  const rows: readonly (readonly [Partial<Selection>, keyof typeof ORIGINS, string, WithholdingReason | undefined])[] =
    [
      [{}, "environment", "ANY", undefined],
      [{}, "esc", "ANY", undefined],
      [{}, "dotenv", "ESC_TOKEN", "reserved"],
      [{}, "esc", "ESC_TOKEN", "reserved"],
      [{ keepEsc: true }, "esc", "ESC_TOKEN", "reserved"],
      [{ allow: ["SOPHIA_REDACT"], include: ["*"] }, "esc", "SOPHIA_REDACT", "reserved"],
      [{}, "contract", "SOPHIA_REDACT", "reserved"],
      [{}, "environment", "SOPHIA_REDACT", undefined],
      [{}, "environment", "ESC_TOKEN", "launcher"],
      [{ keepEsc: true }, "environment", "ESC_TOKEN", undefined],
      [{ include: ["ESC_*"] }, "environment", "ESC_TOKEN", "launcher"],
      [{ onlyDeclared: true }, "environment", "ANY", undefined],
      [{ onlyDeclared: true }, "esc", "ANY", "not-declared"],
      [{ onlyDeclared: true }, "dotenv", "ANY", "not-declared"],
      [{ onlyDeclared: true }, "esc", "DECLARED_A", undefined],
      [{ onlyDeclared: true, include: ["AN?"] }, "esc", "ANY", undefined],
      [{ pristine: true }, "environment", "ANY", "not-baseline"],
      [{ pristine: true }, "environment", "PATH", undefined],
      [{ pristine: true }, "environment", "LC_ALL", undefined],
      [{ pristine: true }, "environment", "DECLARED_A", undefined],
      [{ pristine: true }, "esc", "ANY", "not-declared"],
      [{ pristine: true }, "esc", "PATH", "not-declared"],
      [{ pristine: true, include: ["ANY"] }, "environment", "ANY", undefined],
      [{ include: ["X*"] }, "environment", "ANY", undefined],
      [{ include: ["X*"] }, "esc", "DECLARED_A", "not-included"],
      [{ include: ["X*"] }, "esc", "XYZ", undefined],
      [{ include: ["X*"] }, "contract", "DECLARED_A", undefined],
      [{ include: ["X*"] }, "fake", "DECLARED_A", undefined],
      [{ outOfScope: new Set(["OTHER"]) }, "environment", "OTHER", "not-in-scope"],
      [{ outOfScope: new Set(["OTHER"]), include: ["*"] }, "environment", "OTHER", "not-in-scope"],
      [{ outOfScope: new Set(["OTHER"]) }, "environment", "ANY", undefined],
      [{ outOfScope: new Set(["OTHER"]) }, "esc", "ANY", "not-in-scope"],
      [{ outOfScope: new Set(["OTHER"]), include: ["A*"] }, "dotenv", "ANY", undefined],
      [{ outOfScope: new Set(["OTHER"]) }, "dotenv", "DECLARED_A", undefined],
      [{ exclude: ["ANY"] }, "environment", "ANY", "excluded"],
      [{ exclude: ["DECLARED_*"] }, "contract", "DECLARED_A", "excluded"],
      [{ include: ["*"], exclude: ["A*"] }, "esc", "ANY", "excluded"],
      [{ exclude: ["any"] }, "esc", "ANY", undefined],
      [{ exclude: ["A.Y"] }, "esc", "ANY", undefined],
      [{ exclude: ["?"] }, "esc", "AB", undefined],
      [{ exclude: ["?"] }, "esc", "😀", "excluded"],
      [{ exclude: ["A[N]Y", "(ANY)", "^ANY$"] }, "esc", "ANY", undefined],
    ];
  test.each(rows)(
    "returns for the options %j, the source %s and the variable %s: %s",
    (selection, source, name, why) => {
      const reason = createWithholdingRule({ ...DEFAULT_SELECTION, ...selection }, isDeclared);
      expect(reason({ name, origin: ORIGINS[source] })).toBe(why);
    },
  );

  test("keeps with --pristine what programs need to find files, speak the user's language and use a terminal", () => {
    const reason = createWithholdingRule({ ...DEFAULT_SELECTION, pristine: true }, isDeclared);
    const names =
      "PATH HOME USER LOGNAME SHELL PWD HOSTNAME TMPDIR TZ LANG LANGUAGE LC_CTYPE " +
      "TERM COLORTERM NO_COLOR FORCE_COLOR COLUMNS LINES XDG_RUNTIME_DIR SSL_CERT_FILE SSL_CERT_DIR";
    const withheld = names.split(" ").filter((name) => reason({ name, origin: ORIGINS.environment }) !== undefined);
    expect(withheld).toEqual([]);
  });

  test("takes little time for a glob with many stars", () => {
    const reason = createWithholdingRule({ ...DEFAULT_SELECTION, exclude: [`${"*".repeat(50)}Z`] }, isDeclared);
    expect(reason({ name: "A".repeat(5000), origin: ORIGINS.esc })).toBeUndefined();
  });
});

describe("variables are selected before precedence applies, so that", () => {
  const selectedValues = (layers: readonly Layer[], selection: Partial<Selection>): Record<string, string> =>
    Object.fromEntries(
      Array.from(
        resolveLayers(selectVariables(layers, { ...DEFAULT_SELECTION, ...selection }, isDeclared), isDeclared),
        ([name, variable]) => [name, variable.value],
      ),
    );

  test("a withheld value does not hide the environment's value", () => {
    const layers = [layerOf("esc", { ANY: "esc", DECLARED_A: "esc" }), layerOf("environment", { ANY: "mine" })];
    expect(selectedValues(layers, { onlyDeclared: true })).toEqual({ ANY: "mine", DECLARED_A: "esc" });
    expect(selectedValues(layers, {})).toEqual({ ANY: "esc", DECLARED_A: "esc" });
  });

  test("a withheld value does not hide the contract's default", () => {
    const layers = [layerOf("esc", { DECLARED_A: "esc", X: "x" }), layerOf("contract", { DECLARED_A: "default" })];
    expect(selectedValues(layers, { include: ["X"] })).toEqual({ DECLARED_A: "default", X: "x" });
    expect(selectedValues(layers, { exclude: ["DECLARED_*"] })).toEqual({ X: "x" });
  });
});
