import { describe, expect, test } from "vitest";
import { runsCode } from "../../src/core/code-values.ts";

describe("variables that make other programs run code", () => {
  test.each(
    [
      "LD_PRELOAD LDR_PRELOAD LDR_PRELOAD64 LD_AUDIT DYLD_INSERT_LIBRARIES BASH_ENV ENV ZDOTDIR PROMPT_COMMAND PS4 SHELLOPTS LESSOPEN GCONV_PATH",
      "PYTHONSTARTUP PERL5OPT RUBYOPT COR_PROFILER_PATH CORECLR_PROFILER_PATH_64 GIT_CONFIG GIT_CONFIG_GLOBAL GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_SSH_COMMAND",
      "GIT_EXTERNAL_DIFF GIT_COMMON_DIR NODE_REPL_EXTERNAL_MODULE LUA_INIT_5_4 OPENSSL_CONF BASH_FUNC_ls%%",
      "npm_config_script_shell NPM_CONFIG_SCRIPT_SHELL npm_config_script-shell pnpm_config_script_shell",
      "yarn_script_shell YARN_SCRIPT-SHELL YARN_YARN_PATH YARN_PLUGINS BUN_INSPECT_PRELOAD",
    ].flatMap((names) => names.split(" ")),
  )("%s", (name) => {
    expect(runsCode(name, "./x")).toBe(true);
    expect(runsCode(name, "")).toBe(false);
  });

  test.each([
    ["PYTHONPATH", "src"],
    ["JAVA_TOOL_OPTIONS", "-javaagent:x.jar"],
    ["EDITOR", "vi"],
    ["PAGER", "less"],
    ["LD_LIBRARY_PATH", "/opt/lib"],
    ["NODE_PATH", "src"],
    ["GIT_AUTHOR_NAME", "x"],
    ["RUBYOPT", "-W0 --yjit"],
    ["RUBYOPT", "-W:no-deprecated"],
    ["ENV", "production"],
    ["ENVIRONMENT", "./x"],
    ["npm_config_registry", "https://registry.example"],
    ["YARN_ENABLE_TELEMETRY", "./x"],
  ])("not %s=%s", (name, value) => {
    expect(runsCode(name, value)).toBe(false);
  });

  test.each(["-r./x", "-W0 -rx", "-I lib", "x"])("RUBYOPT=%s", (value) => {
    expect(runsCode("RUBYOPT", value)).toBe(true);
  });
});

describe("NODE_OPTIONS", () => {
  test.each([
    "--require ./x.js",
    "--require=./x.js",
    "-r ./x.js",
    "--max-old-space-size=4096 --import ./x.mjs",
    "--loader=./x.mjs",
    "--experimental-loader ./x.mjs",
    "--experimental_loader=./x.mjs",
    '"--require" "./a b.js"',
    String.raw`"--r\equire" x`,
    'x"" --re"quire"=x',
    "--experimental-default-config-file",
    "--openssl-config=/x",
    "--inspect=0.0.0.0:9229",
    "--inspect-brk=example.test",
    "--inspect-port 10.0.0.1:1",
  ])("%s loads code", (value) => {
    expect(runsCode("NODE_OPTIONS", value)).toBe(true);
    expect(runsCode("npm_config_node_options", value)).toBe(true);
    expect(runsCode("PNPM_CONFIG_NODE-OPTIONS", value)).toBe(true);
  });

  test.each([
    "--max-old-space-size=4096",
    "--max_old_space_size=4096 --enable-source-maps",
    "--title=--require",
    '--title="a --require b"',
    // Only a space separates words.
    "--title=a\t--require",
    "--no-warnings",
    "--inspect",
    "--inspect=9229 --inspect-brk=127.0.0.1:9229",
    "--inspect=localhost:1",
    "--inspect=[::1]:9229",
    "--conditions=development -C browser",
    "--dns-result-order=ipv4first",
  ])("%s passes", (value) => {
    expect(runsCode("NODE_OPTIONS", value)).toBe(false);
    expect(runsCode("npm_config_node-options", value)).toBe(false);
  });
});

// Bun takes each of them: it also knows single quotes, tabs and joined short options.
test.each(["'--preload' ./x", "\t--preload\t./x", String.raw`--pre\load ./x`, "-r./x", "-br./x"])(
  "BUN_OPTIONS=%j loads code",
  (value) => {
    expect(runsCode("BUN_OPTIONS", value)).toBe(true);
  },
);
