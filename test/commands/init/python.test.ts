import { expect, test } from "vitest";
import { parsePyproject, findPythonTool } from "../../../src/commands/init/python.ts";

test.each([
  ["[project]\nname = 'shop'\n", "shop", "pip ."],
  ["[[tool.poetry.source]]\nname = 'private'\n[tool.poetry]\nname = 'shop'\n", "shop", "poetry"],
  ["project = { name = 'shop' }\ntool.uv.package = false\n", "shop", "uv"],
  ["[[tool.mypy.overrides]]\nname = 'other'\n[project]\n", undefined, "pip ."],
  ["[project\nname = 'shop'\n", undefined, "pip ."],
])("a requirement of Python %j has the name %j and the installer %s", (text, name, tool) => {
  const pyproject = parsePyproject(text);
  expect(pyproject.name).toBe(name);
  expect(findPythonTool(pyproject, () => false)).toBe(tool);
});
