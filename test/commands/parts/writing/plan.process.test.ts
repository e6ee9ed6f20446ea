import { parseAllDocuments } from "yaml";
import { expect, test, vi } from "vitest";
import { createPlanner } from "../../../../src/commands/parts/writing/write-plan.ts";

vi.mock("yaml", { spy: true });

test("a plan of changes parses the definition once for all variables of an import", () => {
  const names = Array.from({ length: 100 }, (_, index) => `NAME_${index}`);
  const name = { organization: "acme", project: "app", name: "dev" };
  const current = {
    name,
    definition: { yaml: "values:\n  environmentVariables:\n    NAME_1: ${other}\n", etag: "", revision: "1" },
    opened: { name, revision: "1", variables: [], notices: [], mayMint: () => false },
  };
  const plan = names.map((one) => ({ name: one, value: "new", secret: false })).map(createPlanner(current, false));
  expect(plan.filter(({ state }) => state !== "added")).toMatchObject([{ name: "NAME_1", state: "differs" }]);
  expect(parseAllDocuments).toHaveBeenCalledTimes(1);
});
