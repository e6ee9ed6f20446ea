import { describe, expect, test } from "vitest";
import { findStartCommand, type StartSurroundings } from "../../../src/commands/init/start-command.ts";

const FILES = new Set(["server.js", "dist/index.js", "bin/run.sh", "common.cjs", "folder/index.js", "app.ts"]);
const INSTALLED = new Map([
  ["next", ["next"]],
  ["@nestjs/cli", ["nest"]],
  ["tsx", ["tsx"]],
]);
const SURROUNDINGS: StartSurroundings = {
  runtime: "node",
  isBuilt: false,
  fileExists: (file) => FILES.has(file),
  commandsOf: (packages) => new Set(packages.flatMap((name) => INSTALLED.get(name) ?? [])),
};
const startCommandOf = (manifest: object, surroundings: Partial<StartSurroundings> = {}) =>
  findStartCommand(
    { dependencies: { next: "1", "@nestjs/cli": "1" }, devDependencies: { tsx: "1" }, ...manifest },
    { ...SURROUNDINGS, ...surroundings },
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
    ["  exec  node   server.js ", ["node", "server.js"]],
    ["sophia-run node server.js", ["node", "server.js"]],
    ["NODE_ENV=production node server", ["env", "NODE_ENV=production", "node", "server"]],
    ["A=1 B=2 node server.js C=3", ["env", "A=1", "B=2", "node", "server.js", "C=3"]],
    ["node --env-file=.env --env-file .env.local server.js", ["node", "server.js"]],
    ["node --env-file-if-exists .env server.js", ["node", "--env-file-if-exists", ".env", "server.js"]],
    ["echo --env-file=.env", ["echo", "--env-file=.env"]],
    ["echo A=1", ["echo", "A=1"]],
    ["node server.js x--env-file=.env", ["node", "server.js", "x--env-file=.env"]],
    ["AB=1  CD=2  exec  node x; next", ["sh", "-c", "AB=1  CD=2  exec  node x; next"]],
    ["cd dist;AB=1 next", ["sh", "-c", "cd dist;AB=1 next"]],
    ["next start -p 3000", ["next", "start", "-p", "3000"]],
    ["nest start", ["nest", "start"]],
    ["npx next start", ["next", "start"]],
    ["bin/run.sh", ["bin/run.sh"]],
    ["node server.js && echo done", ["sh", "-c", "node server.js && echo done"]],
    ["exec node server.js > log", ["sh", "-c", "node server.js > log"]],
    [
      "A= B=2 node x || exec next start; (nest start | echo)",
      ["sh", "-c", "A= B=2 node x || exec next start; (nest start | echo)"],
    ],
    ["node 'a\\b' && next", ["sh", "-c", "node 'a\\b' && next"]],
    [`node 'server.js' '"' a"'"b`, ["node", "server.js", '"', "a'b"]],
    [`node server.js '' --a="b c"'d e'f`, ["node", "server.js", "", "--a=b cd ef"]],
    ['node "$HOME"', ["sh", "-c", 'node "$HOME"']],
    ["node server.js \\x", ["sh", "-c", "node server.js \\x"]],
    ["node server.js 'a", ["sh", "-c", "node server.js 'a"]],
  ])("has the words of %s", (start, words) => {
    expect(startCommandOfScript(start)).toEqual({ options: [], words });
  });

  test.each("node sh env exec cd echo export test true sleep mkdir cp rm set trap wait".split(" "))(
    "may start %s, which is in every image",
    (command) => {
      expect(startCommandOfScript(command)).toEqual({ options: [], words: [command] });
    },
  );

  test("keeps the options of sophia-run for ENTRYPOINT", () => {
    expect(startCommandOfScript("sophia-run --scope web -- node server.js -- -x")).toEqual({
      options: ["--scope", "web"],
      words: ["node", "server.js", "--", "-x"],
    });
  });

  test.each([
    "npm run serve",
    "npm run-script serve",
    "npm serve",
    "pnpm run serve",
    "pnpm serve",
    "yarn run serve",
    "yarn serve",
    "bun run serve",
  ])("follows the script that %s calls", (start) => {
    expect(startCommandOfScript(start, { serve: "sophia-run --strict -- node server.js" })).toEqual({
      options: ["--strict"],
      words: ["node", "server.js"],
    });
  });

  test.each([".js", ".cjs", ".mjs", ".ts", ".cts", ".mts", ".jsx", ".tsx"])(
    "runs a file that ends with %s, and no script of that name, after `bun run`",
    (extension) => {
      expect(
        startCommandOf({ scripts: { start: `bun run main${extension} x` } }, { runtime: "bun", isBuilt: true }),
      ).toEqual({ options: [], words: ["bun", "run", `main${extension}`, "x"] });
    },
  );

  test("follows eight scripts that call each other, and no more", () => {
    const chain = (length: number) =>
      Object.fromEntries(
        Array.from({ length }, (_, index) => [
          `s${index + 1}`,
          index + 1 === length ? "node server.js" : `npm run s${index + 2}`,
        ]),
      );
    expect(startCommandOfScript("npm run s1", chain(8))).toEqual({ options: [], words: ["node", "server.js"] });
    expect(startCommandOfScript("npm run s1", chain(9))).toEqual({
      obstacle: "start calls the script s9, which does not exist or calls itself",
    });
  });

  test("is that of main if there is no script, and otherwise of a file with a usual name", () => {
    expect(startCommandOf({ main: "dist/index.js", scripts: { prestart: "node x" } })).toEqual({
      options: [],
      words: ["node", "dist/index.js"],
    });
    for (const main of [undefined, "", 1])
      expect(startCommandOf({ main })).toEqual({ options: [], words: ["node", "server.js"] });
    expect(startCommandOf({ main: "app.ts" }, { runtime: "bun" })).toEqual({ options: [], words: ["bun", "app.ts"] });
  });

  test.each([
    "npm run build",
    "pnpm build",
    "pnpm run build",
    "yarn build",
    "yarn run build",
    "bun run build",
    " npm run build ",
    "tsc -b",
  ])("ignores the prestart script %j, which only builds", (prestart) => {
    expect(startCommandOfScript("node server.js", { prestart, build: "tsc -b" })).toEqual({
      options: [],
      words: ["node", "server.js"],
    });
  });

  test.each(["server.js", "server", "common", "folder", "common.cjs"])(
    "may name the file %s, which Node.js finds",
    (file) => {
      expect(startCommandOfScript(`node ${file} x`)).toEqual({ options: [], words: ["node", file, "x"] });
    },
  );

  test.each(["-r", "-C", "--require", "--import", "--loader", "--experimental-loader", "--conditions", "--title"])(
    "may have a value after %s",
    (option) => {
      expect(startCommandOfScript(`node ${option} missing server.js`)).toHaveProperty("words");
      expect(startCommandOfScript(`node ${option} server.js missing`)).toEqual({
        obstacle: "missing does not exist, and there is no build script",
      });
    },
  );

  test.each(["-e", "-p", "--eval", "--print"])("may have code after %s", (option) => {
    expect(startCommandOfScript(`node ${option} 1+1`)).toHaveProperty("words");
    expect(startCommandOfScript(`node missing ${option}`)).toHaveProperty("obstacle");
    expect(startCommandOfScript(`node -${option} missing`)).toHaveProperty("obstacle");
    expect(startCommandOfScript(`node ${option}x missing`)).toHaveProperty("obstacle");
  });

  test("may start a dependency that is not installed yet", () => {
    expect(startCommandOf({ scripts: { start: "next start" } }, { commandsOf: () => undefined })).toHaveProperty(
      "words",
    );
    expect(startCommandOf({ scripts: { start: "nest start" } }, { commandsOf: () => undefined })).toEqual({
      obstacle: "start runs nest, which is in none of the installed dependencies",
    });
  });

  test("may name a file that Bun runs", () => {
    const commandOfBun = (start: string) => startCommandOf({ scripts: { start } }, { runtime: "bun" });
    expect(commandOfBun("bun app.ts")).toEqual({ options: [], words: ["bun", "app.ts"] });
    expect(commandOfBun("bun run app.ts")).toEqual({ options: [], words: ["bun", "run", "app.ts"] });
    expect(commandOfBun("bun run missing.ts")).toEqual({
      obstacle: "missing.ts does not exist, and there is no build script",
    });
  });

  test("may name a file that a build script makes", () => {
    const scripts = { start: "node build/main.js" };
    expect(startCommandOf({ scripts }, { isBuilt: true })).toEqual({ options: [], words: ["node", "build/main.js"] });
  });
});

describe("init says why it writes no CMD", () => {
  const isMissing = (command: string): string =>
    `start runs ${command}, which is in none of the installed dependencies`;
  const isForDevelopment = (command: string): string =>
    `start runs ${command} of the devDependencies, which images leave out; move it to the dependencies`;

  test.each([
    ["node build/main.js", "build/main.js does not exist, and there is no build script"],
    ["node --import missing --trace build/main.js", "build/main.js does not exist, and there is no build script"],
    ["tsx src/index.ts", isForDevelopment("tsx")],
    ["ts-node src/index.ts", isMissing("ts-node")],
    ["bun server.js", isMissing("bun")],
    ["bin/missing.sh", isMissing("bin/missing.sh")],
    ["server.js", isMissing("server.js")],
    ["A=1", isMissing("")],
    ["npm run", isMissing("npm")],
    ["bun serve", isMissing("bun")],
    ["npx tsx server.js", isForDevelopment("tsx")],
    ["sophia-run --strict -- tsx server.js", isForDevelopment("tsx")],
    ["npm run again", "start calls the script again, which does not exist or calls itself"],
    ["npm start", "start calls the script start, which does not exist or calls itself"],
    ["npm run a\u001B", "start calls the script a\\u001b, which does not exist or calls itself"],
    ["npm run build && node server.js", "start runs npm within a shell command"],
    [
      "A=1 exec pnpm x; yarn x & npm x | bun x || npx x\nbunx (npm) x",
      "start runs pnpm, yarn, npm, bun, npx and bunx within a shell command",
    ],
    ["xnpm; npmx", isMissing("xnpm")],
    ["tsx migrate.ts; node server.js", isForDevelopment("tsx")],
    ["node server.js && tsx x", isForDevelopment("tsx")],
    ["node server.js; ts-node x; tsx x", isMissing("ts-node")],
  ])("for %j", (start, obstacle) => {
    expect(startCommandOfScript(start)).toEqual({ obstacle });
  });

  test.each([
    "node migrate.js",
    "npm build",
    "npm run build:css",
    "exec npm run build",
    "bun build",
    "yarn run  build",
  ])("for the prestart script %j, which an image does not run", (prestart) => {
    expect(startCommandOfScript("node server.js", { prestart, build: "tsc" })).toEqual({
      obstacle: "an image does not run the prestart script",
    });
  });

  test("for a project without a program", () => {
    expect(startCommandOf({}, { fileExists: () => false })).toEqual({
      obstacle: "package.json has no start script and no main program",
    });
  });
});
