/** Tests the settings that options and variables make together. */
import { describe, expect, test } from "vitest";
import type { Values } from "../../src/command-line/options.ts";
import { parseDuration, resolveSettings } from "../../src/command-line/settings.ts";

const resolveFrom = (flags: Values, variables: Record<string, string> = {}) =>
  resolveSettings(flags, new Map(Object.entries(variables)));

test("a launch without options and variables has the default settings", () => {
  expect(resolveFrom({})).toEqual({
    envFiles: [{ path: ".env", required: false }],
    override: true,
    secretsDirs: [],
    prefer: "environment",
    requireEsc: false,
    timeoutMs: 30_000,
    insecureHttp: false,
    cache: false,
    offline: false,
    cacheMaxAgeMs: 86_400_000,
    fake: undefined,
    contractFile: undefined,
    profile: undefined,
    enforceContract: true,
    keepEsc: false,
    allow: [],
    onlyDeclared: false,
    pristine: false,
    include: [],
    exclude: [],
    mode: "auto",
    killAfterMs: undefined,
    dieWithLauncher: false,
    restoreNofile: false,
    watch: false,
    watchSignal: "SIGTERM",
    broker: false,
    brokerTo: [],
    brokerExcept: [],
    redact: "auto",
    quiet: false,
    verbose: false,
  });
});

test.each([
  [{ mode: "exec" }, { SOPHIA_MODE: "spawn" }, { mode: "exec" }],
  [{}, { SOPHIA_MODE: "spawn" }, { mode: "spawn" }],
  [{}, { SOPHIA_MODE: "" }, { mode: "auto" }],
  [{}, { SOPHIA_QUIET: "1" }, { quiet: true }],
  [{}, { SOPHIA_QUIET: "False" }, { quiet: false }],
  [{ quiet: true }, { SOPHIA_QUIET: "0" }, { quiet: true }],
  [{}, { SOPHIA_NO_CONTRACT: "yes" }, { enforceContract: false }],
  [{}, { SOPHIA_TIMEOUT: "2m" }, { timeoutMs: 120_000 }],
  [{ session: "2h" }, { SOPHIA_SESSION: "30m" }, { sessionMs: 7_200_000 }],
  [{}, { SOPHIA_SESSION: "30m" }, { sessionMs: 1_800_000 }],
  [
    {},
    { SOPHIA_CACHE: "1", SOPHIA_CACHE_FRESH: "60s", SOPHIA_CACHE_MAX_AGE: "1h" },
    { cache: true, cacheFreshMs: 60_000, cacheMaxAgeMs: 3_600_000 },
  ],
  [{ cache: true, offline: true }, { SOPHIA_CACHE: "0" }, { cache: true, offline: true }],
  [{}, {}, { sessionMs: undefined }],
  [{ "kill-after": "500ms" }, {}, { killAfterMs: 500 }],
  [{}, { SOPHIA_EXCLUDE: "AWS_*, GOOGLE_*," }, { exclude: ["AWS_*", "GOOGLE_*"] }],
  [{ exclude: ["AWS_*, GOOGLE_*", "KEY"] }, {}, { exclude: ["AWS_*", "GOOGLE_*", "KEY"] }],
  [{ dotenv: ["a, b,", "c"] }, {}, { envFiles: [{ path: "a" }, { path: "b" }, { path: "c" }] }],
  [{ dotenv: ["a\\,b,c"] }, {}, { envFiles: [{ path: "a,b" }, { path: "c" }] }],
  [{}, { SOPHIA_DOTENV: "a\\,b,c" }, { envFiles: [{ path: "a,b" }, { path: "c" }] }],
  [
    { dotenv: ["a", "b"] },
    { SOPHIA_DOTENV: "c" },
    {
      envFiles: [
        { path: "a", required: true },
        { path: "b", required: true },
      ],
    },
  ],
  [{}, { SOPHIA_DOTENV: "c" }, { envFiles: [{ path: "c", required: true }] }],
])("the command line wins over variables, they over defaults: %j %j", (flags, variables, expected) => {
  expect(resolveFrom(flags, variables)).toMatchObject(expected);
});

test.each([
  [{ mode: "fork" }, {}, "--mode has an invalid value: 'fork'"],
  [{}, { SOPHIA_MODE: "fork" }, "SOPHIA_MODE has an invalid value: 'fork'"],
  [{}, { SOPHIA_QUIET: "maybe" }, "SOPHIA_QUIET has an invalid value: 'maybe'"],
  [{ timeout: "soon" }, {}, "--timeout has an invalid value: 'soon'"],
  [{ "watch-every": "100ms" }, {}, "--watch-every has an invalid value: '100ms'"],
  [{}, { SOPHIA_WATCH_EVERY: "0.9" }, "SOPHIA_WATCH_EVERY has an invalid value: '0.9'"],
  [{}, { SOPHIA_TIMEOUT: "0" }, "SOPHIA_TIMEOUT has an invalid value: '0'"],
  [{ session: "for ever" }, {}, "--session has an invalid value: 'for ever'"],
  [{}, { SOPHIA_SESSION: "1500ms" }, "SOPHIA_SESSION has an invalid value: '1500ms'"],
  [{ dotenv: [""] }, {}, "--dotenv has an invalid value: ''"],
  [{ exclude: [","] }, {}, "--exclude has an invalid value: ''"],
  [{}, { SOPHIA_DOTENV: " , " }, "SOPHIA_DOTENV has an invalid value"],
])("a bad value is named by where it was set: %j %j", (flags, variables, message) => {
  expect(() => resolveFrom(flags, variables)).toThrow(message);
});

describe("a duration is read as milliseconds", () => {
  test.each([
    ["30", 30_000],
    ["1.5", 1500],
    ["30s", 30_000],
    ["500ms", 500],
    ["2m", 120_000],
    ["1h", 3_600_000],
    [" 5s ", 5000],
  ])("%s", (text, ms) => expect(parseDuration(text, "x")).toBe(ms));

  test.each(["", "0", "-1", "1d", "1e3", "Infinity", "NaN", "30 s", "9999999h", "0.1ms"])(
    "and %j is refused",
    (text) => {
      expect(() => parseDuration(text, "x")).toThrow("invalid value");
    },
  );
});
