import { describe, expect, test } from "vitest";
import type { ValueToWrite } from "../../../../src/commands/parts/writing/value-to-write.ts";
import {
  createPlanner,
  isChange,
  type PlannedState,
  type PlannedValue,
  planWithoutValue,
} from "../../../../src/commands/parts/writing/write-plan.ts";
import { describePlan } from "../../../../src/commands/parts/writing/write-plan-text.ts";
import type { Variable } from "../../../../src/core/model.ts";
import type { EnvironmentState } from "../../../../src/esc/api/change.ts";

const ENVIRONMENT = { organization: "acme", project: "app", name: "dev" };
const DEFINITION = `values:
  environmentVariables:
    STORED: stored
    SECRET: {fn::secret: {ciphertext: abc}}
    EMPTY: ""
    EMPTY_SECRET: {fn::secret: {ciphertext: abc}}
    EMPTY_REFERENCE: \${other}
    PROVIDED: {fn::open::aws: {}}
    ROTATED: {fn::rotate::aws: {}}
    HIDDEN: {fn::secret: {ciphertext: abc}}
`;

function variable(name: string, value: string, more: Partial<Variable> = {}): Variable {
  return {
    name,
    value,
    secret: false,
    origin: { source: "esc", environment: "acme/app/dev" },
    delivery: "value",
    ...more,
  };
}

const VARIABLES = [
  variable("STORED", "stored"),
  variable("SECRET", "secret", { secret: true }),
  variable("EMPTY", ""),
  variable("EMPTY_SECRET", "", { secret: true }),
  variable("EMPTY_REFERENCE", ""),
  variable("EMPTY_IMPORT", ""),
  variable("PROVIDED", "", { secret: true }),
  variable("ROTATED", "rotated", { secret: true }),
  variable("IMPORTED", "imported"),
  variable("FILE", "stored", { delivery: "file" }),
];

function createState(more: Partial<EnvironmentState> = {}): EnvironmentState {
  return {
    name: ENVIRONMENT,
    definition: { yaml: DEFINITION, etag: "", revision: "1" },
    opened: { name: ENVIRONMENT, revision: "1", variables: VARIABLES, notices: [], mayMint: () => false },
    ...more,
  };
}

/** The state of an environment that ESC does not open. */
function createHiddenState(hiddenBy: "approval" | "schema"): EnvironmentState {
  const names = ["HIDDEN", "HIDDEN_IMPORT", "PROVIDED"];
  return createState({
    opened: { ...createState().opened, variables: [variable("STORED", "stored")] },
    hidden: new Map(names.map((name) => [name, variable(name, "", { secret: name === "HIDDEN" })])),
    hiddenBy,
  });
}

describe("the plan for a value that differs from the one in ESC", () => {
  test.each<[name: string, state: PlannedState, stateWithOverwrite: PlannedState]>([
    ["NEW", "added", "added"],
    ["STORED", "differs", "replaced"],
    ["SECRET", "differs", "replaced"],
    ["EMPTY", "replaced", "replaced"],
    ["EMPTY_SECRET", "replaced", "replaced"],
    ["EMPTY_REFERENCE", "differs", "replaced"],
    ["EMPTY_IMPORT", "differs", "replaced"],
    ["PROVIDED", "function", "function"],
    ["ROTATED", "function", "function"],
    ["IMPORTED", "differs", "replaced"],
    ["FILE", "file", "file"],
    // It is in the definition, and not in the opened environment.
    ["HIDDEN", "differs", "replaced"],
  ])("%s", (name, state, stateWithOverwrite) => {
    const current = createState();
    const plan = (overwrite: Parameters<typeof createPlanner>[1]): PlannedState =>
      createPlanner(current, overwrite)({ name, value: "new", secret: false }).state;
    expect([plan(false), plan(() => false)]).toEqual([state, state]);
    expect([plan(true), plan((other) => other === name)]).toEqual([stateWithOverwrite, stateWithOverwrite]);
    expect([planWithoutValue(name, current, false), planWithoutValue(name, current, true)]).toEqual([
      state,
      stateWithOverwrite,
    ]);
  });

  test.each<[hiddenBy: "approval" | "schema", state: PlannedState]>([
    ["approval", "needs-approval"],
    ["schema", "schema-refused"],
  ])("is not known to differ while ESC hides the value (%s)", (hiddenBy, state) => {
    const current = createHiddenState(hiddenBy);
    const plan = (name: string, overwrite: boolean): PlannedState =>
      createPlanner(current, overwrite)({ name, value: "", secret: false }).state;
    for (const name of ["HIDDEN", "HIDDEN_IMPORT"]) {
      expect([plan(name, false), plan(name, true)]).toEqual([state, "replaced"]);
      expect([planWithoutValue(name, current, false), planWithoutValue(name, current, true)]).toEqual([
        state,
        "replaced",
      ]);
    }
    expect([plan("PROVIDED", true), plan("STORED", false), plan("NEW", false)]).toEqual([
      "function",
      "differs",
      "added",
    ]);
  });
});

test("a value that ESC has already stays, unless a file of ESC has it", () => {
  const plan = createPlanner(createState(), true);
  const summarize = (name: string, value: string, more: Partial<ValueToWrite>): readonly unknown[] => {
    const { state, secret, isPlainTextInEsc } = plan({ name, value, secret: true, ...more });
    return [state, secret, isPlainTextInEsc];
  };
  expect(summarize("STORED", "stored", {})).toEqual(["same", true, true]);
  expect(summarize("STORED", "stored", { secret: false })).toEqual(["same", false, false]);
  // Only a guess makes this value a secret, so that plain text in ESC is no mistake.
  expect(summarize("STORED", "stored", { isAssumedSecret: true })).toEqual(["same", true, false]);
  expect(summarize("STORED", "stored", { isAssumedSecret: false })).toEqual(["same", true, true]);
  expect(summarize("SECRET", "secret", {})).toEqual(["same", true, false]);
  expect(summarize("FILE", "stored", {})).toEqual(["file", true, undefined]);
  expect(summarize("EMPTY", "", { secret: false })).toEqual(["same", false, false]);
});

test("a secret of ESC stays a secret, and so does a value that ESC hides", () => {
  const isSecret = (current: EnvironmentState, name: string, secret = false): boolean =>
    createPlanner(current, true)({ name, value: "new", secret }).secret;
  const current = createState();
  expect(["NEW", "STORED", "SECRET"].map((name) => isSecret(current, name))).toEqual([false, false, true]);
  expect(["NEW", "STORED", "SECRET"].map((name) => isSecret(current, name, true))).toEqual([true, true, true]);
  const hiddenState = createHiddenState("approval");
  expect(["HIDDEN", "HIDDEN_IMPORT", "STORED", "NEW"].map((name) => isSecret(hiddenState, name))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test("only added and replaced values are changes", () => {
  const states: readonly PlannedState[] = [
    ...(["added", "replaced", "same", "differs"] as const),
    ...(["needs-approval", "schema-refused", "file", "function"] as const),
  ];
  expect(states.filter((state) => isChange({ state }))).toEqual(["added", "replaced"]);
});

describe("the text of a plan", () => {
  const planned = (name: string, state: PlannedState, more: Partial<PlannedValue> = {}): PlannedValue => ({
    name,
    state,
    value: "not-shown",
    secret: true,
    ...more,
  });

  test("has the additions, the replacements and each reason to keep a value, in this order", () => {
    const plan = [
      planned("LONG_NAME_OF_KEPT_ONE", "function"),
      planned("B", "replaced"),
      planned("A_1", "added", { secret: false }),
      planned("A\n", "added"),
      planned("FILE", "file"),
      planned("SCHEMA", "schema-refused"),
      planned("APPROVAL", "needs-approval"),
      planned("DIFFERS_1", "differs"),
      planned("DIFFERS_2", "differs"),
      planned("SAME", "same", { isPlainTextInEsc: true }),
      planned("SAME_2", "same", { isPlainTextInEsc: false }),
    ];
    expect(describePlan(plan, "acme/app/dev@\n1", "--plain").split("\n")).toEqual([
      "acme/app/dev@\\n1:",
      "  + A_1  plain text",
      "  + A\\n  secret",
      "  ~ B    secret",
      "  SAME and SAME_2: already the same in ESC",
      "  DIFFERS_1 and DIFFERS_2: kept, since ESC has another value; --overwrite replaces it",
      "  APPROVAL: kept, since reading the value in ESC requires an approval; --overwrite replaces it",
      "  SCHEMA: kept, since a schema in ESC refuses values and hides this one; --overwrite replaces it",
      "  FILE: kept, since it is a file in ESC",
      "  LONG_NAME_OF_KEPT_ONE: kept, since a provider or function sets it in ESC",
      "  SAME: a secret that is plain text in ESC",
      "",
    ]);
  });

  test("says why a value is a secret, and what is left out", () => {
    const plan = [
      planned("WITH_TOKEN", "added", { credential: "a token (ghp_…)" }),
      planned("WITHOUT_TOKEN", "added", { credential: "" }),
      planned("GUESSED", "added", { isAssumedSecret: true }),
      planned("KNOWN", "added", { isAssumedSecret: false }),
      planned("GUESSED_SAME", "same", { isAssumedSecret: true }),
    ];
    const omitted = { settings: ["ESC_ENV"], empty: ["EMPTY_1", "EMPTY_2"] };
    expect(describePlan(plan, "x", "--plain NAME", omitted).split("\n").slice(5)).toEqual([
      "  GUESSED_SAME: already the same in ESC",
      "  WITH_TOKEN: secret, since the value holds a token (ghp_…), although the contract declares it public",
      "  GUESSED: secret, since the contract does not declare it; --plain NAME writes plain text",
      "  EMPTY_1 and EMPTY_2: left out: empty, which means unset",
      "  ESC_ENV: left out: settings of sophia-run",
      "",
    ]);
    const guessed = ["A", "B"].map((name) => planned(name, "replaced", { isAssumedSecret: true }));
    expect(describePlan(guessed, "x", "--plain").split("\n").slice(3)).toEqual([
      "  A and B: secret, since the contract does not declare them; --plain writes plain text",
      "",
    ]);
  });

  test("of no values has only the heading", () => {
    expect(describePlan([], "acme/app/dev", "--plain")).toBe("acme/app/dev:\n");
  });
});
