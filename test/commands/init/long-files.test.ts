/** Files of a repository that are made so that a search in them takes long. */
import { describe, expect, test } from "vitest";
import { findPythonReads } from "../../../src/commands/parts/code/python-reads.ts";
import { findScriptReads } from "../../../src/commands/parts/code/script-reads.ts";
import { replacePart } from "../../../src/commands/docs/mark.ts";
import { adviseOnDockerfile } from "../../../src/commands/init/dockerfile.ts";
import { parseExample } from "../../../src/commands/init/example.ts";
import { parseGeneratedFile } from "../../../src/commands/init/generated-example.ts";
import { startsPackageManager } from "../../../src/commands/init/package-json.ts";
import { hasPythonDependency } from "../../../src/commands/init/python.ts";
import { findStartCommand } from "../../../src/commands/init/start-command.ts";
import { parseEnvSchema } from "../../../src/commands/init/tools/env-schema.ts";
import { parseDoppler, parseDotenvVault } from "../../../src/commands/init/tools/stores.ts";
import { parseYaml, topLevelEntry } from "../../../src/commands/init/tools/yaml.ts";
import { NODE_PROJECT } from "./node-project.ts";

const LINES = "\n".repeat(400_000);
const BLANKS = " ".repeat(400_000);

/** Each took between 20 seconds and hours where its time grew with the square of the length. */
test.each<readonly [what: string, read: () => unknown]>([
  ["requirements.txt", () => hasPythonDependency(`${LINES}x`)],
  ["a Dockerfile of empty lines", () => startsPackageManager(`${LINES}x`)],
  ["a Dockerfile with blanks", () => startsPackageManager(`CMD${BLANKS}x`)],
  ["advice about a Dockerfile of empty lines", () => adviseOnDockerfile(`${LINES}x`, NODE_PROJECT)],
  ["advice about a Dockerfile with blanks", () => adviseOnDockerfile(`CMD${BLANKS}\n`, NODE_PROJECT)],
  [".env.vault", () => parseDotenvVault(`${LINES}x`)],
  [".env.example of blanks", () => parseExample(BLANKS)],
  [".env.example with blanks in a value", () => parseExample(`A=x${BLANKS}x`)],
  [".env.schema with brackets that never close", () => parseEnvSchema(`#${" @a=b(".repeat(60_000)}\nA=\n`)],
  ["SECRETS.md", () => replacePart(`# Secrets${LINES}x`, "document", "mark", [])],
  [".env.example of docs", () => parseGeneratedFile("# Format: a\n".repeat(40_000))],
  ["doppler.yaml", () => parseDoppler("? ".repeat(5000))],
  ["doppler.yaml with anchors", () => parseDoppler("&a ".repeat(100_000))],
  [
    "package.json",
    () =>
      findStartCommand(
        { scripts: { start: "a ".repeat(100_000) } },
        { runtime: "node", isBuilt: false, fileExists: () => false, commandsOf: () => undefined },
      ),
  ],
])("init reads %s in a time that grows with the length", { timeout: 10_000 }, (_, read) => {
  const begin = performance.now();
  read();
  expect(performance.now() - begin).toBeLessThan(5000);
});

test("init ignores a name that is too long for a pattern", () => {
  const name = "A".repeat(100_000);
  const reads = [
    ...findPythonReads(`import os\n${name} = os.environ\nos.environ["KEY"]\n`),
    ...findScriptReads(`const ${name} = process.env;\nprocess.env.KEY;\n`),
  ];
  expect(reads.map((read) => read.name)).toEqual(["KEY", "KEY"]);
});

describe("init finds the same variables as before", () => {
  test("in a Dockerfile", () => {
    expect(startsPackageManager('FROM x\n  CMD [ "npm", "start" ]\n')).toBe(true);
    expect(startsPackageManager("web: npm start\n")).toBe(true);
    expect(startsPackageManager("CMD 'npm' start\r\n")).toBe(true);
    expect(startsPackageManager("CMD node npm\n")).toBe(false);
    expect(adviseOnDockerfile('WORKDIR /srv \r\n\tENTRYPOINT ["a"] \r\nCMD b c  \r\n', NODE_PROJECT)).toMatchObject({
      lines: ["ENV PATH=/srv/node_modules/.bin:$PATH", 'ENTRYPOINT ["sophia-run", "--", "a"]', 'CMD ["b", "c"]'],
    });
  });

  test("in YAML", () => {
    expect(parseYaml("a: [1]\n")).toEqual({ a: [1] });
    expect(parseYaml("- - - - - - - - a\n")).toBeUndefined();
    const text = `catalog:\n${"  a: 1.0.0\n".repeat(10_000)}"packages":\n# those below\n- a/*\n\n- "!b"\nother: 1\n`;
    expect(parseYaml(topLevelEntry(text, "packages"))).toEqual({ packages: ["a/*", "!b"] });
    expect(parseYaml(topLevelEntry("packages: [a,\n  b\n]\nx: 1\n", "packages"))).toEqual({ packages: ["a", "b"] });
    expect(topLevelEntry(text, "nothing")).toBe("");
  });
});
