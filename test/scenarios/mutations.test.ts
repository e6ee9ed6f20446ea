/** `npm run mutations`: the map from folders to the tests that cover them, and the text of a mutant. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { COVERAGE, coveredFolderOf, LEFT_OUT } from "../../scripts/mutations/coverage.mts";
import { mutated, mutatedFiles } from "../../scripts/mutations/draw.mts";
import { projectOf, testFiles } from "../helpers/projects.mts";

const root = join(import.meta.dirname, "../..");
/** The folders of what a fault would make unsafe, and of the commands that write. */
const COMMANDS = ["enforce", "import", "init", "link", "parts/writing", "rotate", "set"];
const FOLDERS = ["broker", "contract", "esc", "launch", "masking", "resolve", "sources"]
  .concat(COMMANDS.map((name) => `commands/${name}`))
  .map((name) => `src/${name}`);

describe("the tests that cover a folder", () => {
  test("are named for folders that exist, and exist themselves", () => {
    for (const folder of [...Object.keys(COVERAGE), ...Object.keys(LEFT_OUT)])
      expect(statSync(join(root, folder)).isDirectory(), folder).toBe(true);
    const files = testFiles();
    for (const path of new Set(Object.values(COVERAGE).flat())) {
      const isNamed = (file: string): boolean => (path.endsWith("/") ? file.startsWith(path) : file === path);
      expect(files.filter(isNamed), path).not.toEqual([]);
      expect(existsSync(join(root, path)), path).toBe(true);
    }
  });

  test("are named for each folder that is mutated", () => {
    for (const folder of FOLDERS) {
      const sources = readdirSync(join(root, folder), { encoding: "utf8", recursive: true }).filter((name) =>
        name.endsWith(".ts"),
      );
      const unmapped = sources
        .map((name) => `${folder}/${name}`)
        .filter((file) => !Object.keys(LEFT_OUT).some((left) => file.startsWith(`${left}/`)))
        .filter((file) => coveredFolderOf(file) === undefined);
      expect(unmapped).toEqual([]);
    }
    expect(mutatedFiles(root).filter((file) => !FOLDERS.some((folder) => file.startsWith(`${folder}/`)))).toEqual([]);
  });

  test("contain tests that run without the executable, except where the package itself is under test", () => {
    for (const [folder, paths] of Object.entries(COVERAGE)) {
      const projects = testFiles()
        .filter((file) => paths.some((path) => file.startsWith(path)))
        .map(projectOf);
      expect(new Set(projects).has("slow") || folder === "src/commands/link", folder).toBe(true);
    }
  });

  test("are those of the nearest folder, and a file that is left out has none", () => {
    expect(coveredFolderOf("src/esc/api/approvals.ts")).toBe("src/esc/api");
    expect(coveredFolderOf("src/esc/auth/token.ts")).toBe("src/esc");
    expect(coveredFolderOf("src/commands/set/set.ts")).toBe("src/commands/set");
    expect(coveredFolderOf("src/launch/windows/find.ts")).toBeUndefined();
    expect(coveredFolderOf("src/commands/settings.ts")).toBeUndefined();
  });
});

test("a mutant replaces its place alone, and another logical operator is in brackets", () => {
  const mutant = { file: "x.ts", line: 1, start: 8, end: 14, replacement: "a && b" };
  expect(mutated("const x=a ?? b ?? c;", { ...mutant, mutator: "BooleanLiteral" })).toBe("const x=a && b ?? c;");
  expect(mutated("const x=a ?? b ?? c;", { ...mutant, mutator: "LogicalOperator" })).toBe("const x=(a && b) ?? c;");
});
