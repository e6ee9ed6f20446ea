import { describe, expect, test } from "vitest";
import { findStartCommand } from "../../../src/commands/init/start-command.ts";

const FILES = new Set(["server.js", "dist/index.js", "bin/run.sh"]);
const INSTALLED = new Map([
  ["next", ["next"]],
  ["@nestjs/cli", ["nest"]],
  ["tsx", ["tsx"]],
]);
const startCommandOf = (manifest: object, isBuilt = false) =>
  findStartCommand(
    { dependencies: { next: "1", "@nestjs/cli": "1" }, devDependencies: { tsx: "1" }, ...manifest },
    {
      runtime: "node",
      isBuilt,
      fileExists: (file) => FILES.has(file),
      commandsOf: (packages) => new Set(packages.flatMap((name) => INSTALLED.get(name) ?? [])),
    },
  );
const startCommandOfScript = (start: string, more: Readonly<Record<string, string>> = {}) =>
  startCommandOf({ scripts: { start, ...more } });

describe("the CMD that init writes", () => {
  test.each([
    ["node server.js", ["node", "server.js"]],
    [
      "node --enable-source-maps 'dist/index.js' \"--name=a b\"",
      ["node", "--enable-source-maps", "dist/index.js", "--name=a b"],
    ],
    ["exec sophia-run -- node server.js", ["node", "server.js"]],
    ["sophia-run node server.js", ["node", "server.js"]],
    ["NODE_ENV=production node server", ["env", "NODE_ENV=production", "node", "server"]],
    ["node --env-file=.env --env-file .env.local server.js", ["node", "server.js"]],
    ["next start -p 3000", ["next", "start", "-p", "3000"]],
    ["nest start", ["nest", "start"]],
    ["npx next start", ["next", "start"]],
    ["bin/run.sh", ["bin/run.sh"]],
    ["node server.js && echo done", ["sh", "-c", "node server.js && echo done"]],
  ])("has the words of %s", (start, words) => {
    expect(startCommandOfScript(start)).toEqual({ options: [], words });
  });

  test("keeps the options of sophia-run for ENTRYPOINT", () => {
    expect(startCommandOfScript("sophia-run --scope web -- node server.js")).toEqual({
      options: ["--scope", "web"],
      words: ["node", "server.js"],
    });
  });

  test("follows scripts that name each other, and main if there is no script", () => {
    expect(startCommandOfScript("npm run serve", { serve: "node server.js" })).toMatchObject({
      words: ["node", "server.js"],
    });
    expect(startCommandOf({ main: "dist/index.js" })).toMatchObject({ words: ["node", "dist/index.js"] });
    expect(startCommandOf({})).toMatchObject({ words: ["node", "server.js"] });
    expect(startCommandOfScript("node server.js", { prestart: "npm run build", build: "tsc" })).toHaveProperty("words");
  });
});

describe("init says why it writes no CMD", () => {
  test.each([
    ["node build/main.js", "build/main.js"],
    ["tsx src/index.ts", "tsx of the dev"],
    ["ts-node src/index.ts", "runs ts-node"],
    ["npm run again", "the script again"],
    ["npm run build && node server.js", "npm within"],
    ["tsx migrate.ts; node server.js", "tsx of the dev"],
  ])("for %s", (start, why) => {
    expect(startCommandOfScript(start)).toMatchObject({ obstacle: expect.stringContaining(why) });
  });

  test("unless a build may make what is missing; a prestart that does more is not run by an image", () => {
    expect(startCommandOf({ scripts: { start: "node build/main.js" } }, true)).toHaveProperty("words");
    expect(startCommandOfScript("node server.js", { prestart: "node migrate.js" })).toHaveProperty("obstacle");
    expect(startCommandOf({ main: "" }, false)).toMatchObject({ words: ["node", "server.js"] });
  });
});
