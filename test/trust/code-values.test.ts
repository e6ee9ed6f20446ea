import { describe, expect, test } from "vitest";
import { runsCode } from "../../src/trust/code-values.ts";
import { isSuspect } from "../../src/trust/suspects.ts";

describe("runsCode", () => {
  test.each(
    [
      "LD_PRELOAD LDR_PRELOAD LDR_PRELOAD64 LD_AUDIT DYLD_INSERT_LIBRARIES BASH_ENV ENV ZDOTDIR PROMPT_COMMAND PS4 SHELLOPTS LESSOPEN GCONV_PATH",
      "PYTHONSTARTUP PERL5OPT RUBYOPT COR_PROFILER_PATH CORECLR_PROFILER_PATH_64 GIT_CONFIG GIT_CONFIG_GLOBAL GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_SSH_COMMAND",
      "GIT_EXTERNAL_DIFF GIT_COMMON_DIR NODE_REPL_EXTERNAL_MODULE NODE_CHANNEL_FD LUA_INIT_5_4 OPENSSL_CONF BASH_FUNC_ls%%",
      "npm_config_script_shell NPM_CONFIG_SCRIPT_SHELL npm_config_script-shell pnpm_config_script_shell",
      "yarn_script_shell YARN_SCRIPT-SHELL YARN_YARN_PATH YARN_PLUGINS BUN_INSPECT_PRELOAD",
    ].flatMap((names) => names.split(" ")),
  )("returns true for any value of %s, with which another program would run code", (name) => {
    expect(runsCode(name, "./x")).toBe(true);
    expect(runsCode(name, "")).toBe(false);
  });

  test.each([
    ["PYTHONPATH", "src"],
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
  ])("returns false for %s=%s", (name, value) => {
    expect(runsCode(name, value)).toBe(false);
  });

  test.each(["-r./x", "-W0 -rx", "-I lib", "x"])("returns true for RUBYOPT=%s", (value) => {
    expect(runsCode("RUBYOPT", value)).toBe(true);
  });
});

describe("runsCode recognizes NODE_OPTIONS by its words:", () => {
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
  ])("%s would load code", (value) => {
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
  ])("%s would not load code", (value) => {
    expect(runsCode("NODE_OPTIONS", value)).toBe(false);
    expect(runsCode("npm_config_node-options", value)).toBe(false);
  });
});

// Bun accepts each of these values: it supports single quotes, tabs and joined short options.
test.each(["'--preload' ./x", "\t--preload\t./x", String.raw`--pre\load ./x`, "-r./x", "-br./x"])(
  "runsCode returns true for BUN_OPTIONS=%j, which would load code",
  (value) => {
    expect(runsCode("BUN_OPTIONS", value)).toBe(true);
  },
);

test.each([
  ["JAVA_TOOL_OPTIONS", "-Xmx1g -XX:MaxRAMPercentage=75 -Dfile.encoding=UTF-8 -Djava.net.preferIPv4Stack=true"],
  ["JAVA_TOOL_OPTIONS", "-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=5005"],
  ["ES_JAVA_OPTS", "-Xms512m -Xmx512m"],
  ["GOFLAGS", "-mod=vendor -trimpath"],
  ["RUSTFLAGS", "-D warnings -C target-cpu=native"],
  ["RUSTC_WRAPPER", "sccache"],
  ["MAKEFLAGS", "-j8 --silent"],
  ["GIT_EDITOR", "code --wait"],
  ["PAGER", "less -FRX"],
  ["BROWSER", "none"],
  ["LESS", "-FRX"],
  ["PYTHONWARNINGS", "ignore,default::urllib3.exceptions.InsecureRequestWarning"],
  ["PYTHONBREAKPOINT", "ipdb.set_trace"],
  ["KUBECONFIG", "/home/a/.kube/config:/etc/kube/config"],
  ["PERL5LIB", "/usr/share/perl5"],
  ["AWS_CONFIG_FILE", "/root/.aws/config"],
  ["CLOUDSDK_PYTHON", "python3.12"],
  ["ERL_AFLAGS", "-kernel shell_history enabled"],
  ["SHELL", "/bin/bash"],
  ["TF_CLI_ARGS_plan", "-no-color"],
  ["LD_LIBRARY_PATH", "/usr/local/cuda/lib64:/opt/lib"],
  ["GCC_EXEC_PREFIX", "/usr/lib/gcc/"],
  ["PYENV_VERSION", "3.12.1"],
  ["GOPACKAGESDRIVER", "off"],
  ["MAVEN_ARGS", "-B -ntp"],
])("runsCode returns false for %s=%s, which is harmless", (name, value) => {
  expect(runsCode(name, value)).toBe(false);
});

test.each([
  ["JAVA_TOOL_OPTIONS", "-Xmx1g -javaagent:x.jar"],
  ["LD_LIBRARY_PATH", "lib"],
  ["LD_LIBRARY_PATH", "/opt/lib:"],
  ["LD_LIBRARY_PATH", "/opt/lib;lib"],
  ["LD_LIBRARY_PATH", "/proc/self/cwd/lib"],
  ["LD_LIBRARY_PATH", "//proc/self/cwd/lib"],
  ["LD_LIBRARY_PATH", "/opt/../proc/self/cwd"],
  ["LESS", "--LESSKEY-SRC=keys"],
  ["LESS", "-R --lo=x"],
  ["PYENV_VERSION", "../../../work/x"],
  ["BUN_INSPECT_CONNECT_TO", "ws://evil.test"],
  ["JAVA_TOOL_OPTIONS", "-XX:OnOutOfMemoryError=./x"],
  ["JAVA_TOOL_OPTIONS", "-XX:+IgnoreUnrecognizedVMOptions -XX:Flags=x"],
  ["JAVA_TOOL_OPTIONS", "-Xbootclasspath/a:x.jar"],
  ["JAVA_TOOL_OPTIONS", "@x"],
  ["JAVA_TOOL_OPTIONS", "-agentlib:jdwp=transport=dt_socket,server=y,address=*:5005"],
  ["JAVA_TOOL_OPTIONS", "-agentlib:jdwp=transport=dt_socket,server=y,launch=./x,onthrow=E,address=1"],
  ["JAVA_TOOL_OPTIONS", "-Dhttps.proxyHost=evil.test"],
  ["JAVA_TOOL_OPTIONS", "-Djavax.net.ssl.trustStore=x"],
  ["JAVA_TOOL_OPTIONS", "-Dlogging.config=http://evil.test/x.xml"],
  ["MAVEN_OPTS", "-Djava.security.manager=x"],
  ["GOFLAGS", "'-toolexec=./x'"],
  ["GOFLAGS", "-ldflags=-extld=./x"],
  ["RUSTFLAGS", "-Clinker=./x"],
  ["CARGO_ENCODED_RUSTFLAGS", "-C\u001flinker=./x"],
  ["RUSTC_WRAPPER", "./x"],
  ["CC", "sh x"],
  ["CFLAGS", "-O2 -fplugin=./x.so"],
  ["MAKEFLAGS", "--eval=$(shell ./x)"],
  ["GIT_PAGER", "sh"],
  ["GIT_PAGER", "vim"],
  ["PAGER", "ed"],
  ["UV_PYTHON", "venv"],
  ["KUBECONFIG", "/var/lib/jenkins/workspace/x/kube"],
  ["KUBECONFIG", "/root/.jenkins/workspace/x/kube"],
  ["CFLAGS", "--config=x"],
  ["JAVA_TOOL_OPTIONS", "-XX:AOTCache=x"],
  ["JAVA_TOOL_OPTIONS", "-Dlogback.configurationFile=x.xml"],
  ["MAVEN_OPTS", "-Duser.home=x"],
  ["MAVEN_OPTS", "-Dmaven.repo.local=x"],
  ["GIT_EDITOR", "vim -c :!./x"],
  ["EDITOR", "./code"],
  ["EDITOR", "vim -S"],
  ["PAGER", "less -kx"],
  ["BROWSER", "./x %s"],
  ["LESS", "+!./x"],
  ["LESS", "-kx"],
  ["PYTHONWARNINGS", "all:0:antigravity.x:0:0"],
  ["PYTHONBREAKPOINT", "os.system"],
  ["KUBECONFIG", "/etc/../work/x"],
  ["KUBECONFIG", "/home/a/.kube/config:./x"],
  ["KUBECONFIG", "/home/a/work/x"],
  ["PERL5LIB", "lib"],
  ["JAVA_HOME", "/usr/src/app/jdk"],
  ["CLOUDSDK_PYTHON", "./x"],
  ["ERL_AFLAGS", "-eval os:cmd(x)"],
  ["ELIXIR_ERL_OPTIONS", "+fnu -pa ebin"],
  ["SHELL", "./sh"],
  ["TF_CLI_ARGS_plan", "-plugin-dir=./x"],
  ["DBUS_SESSION_BUS_ADDRESS", "unixexec:path=./x"],
  ["GIT_ALLOW_PROTOCOL", "https:ext"],
  ["MPLBACKEND", "module://x"],
  ["GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1"],
  ["CLAUDE_CODE_SHELL_PREFIX", "x"],
  ["CODEX_HOME", "."],
  ["RSYNC_RSH", "./x"],
  ["SVN_SSH", "./x"],
  ["R_PROFILE_USER", "x"],
  ["PHPRC", "."],
])("runsCode returns true for %s=%s, which would run code", (name, value) => {
  expect(runsCode(name, value)).toBe(true);
});

// The time limit of each test applies here. A pattern that is not linear would take hours.
test("runsCode and isSuspect take linear time for long values and names", () => {
  const many = 1_000_000;
  for (const [name, part] of [
    ["ELIXIR_ERL_OPTIONS", "+fnu "],
    ["LESS", "--x "],
    ["PAGER", "less -w "],
    ["GIT_EDITOR", "code -w "],
    ["PYTHONWARNINGS", "ignore:"],
    ["JAVA_TOOL_OPTIONS", "-Dx=1 "],
  ] as const) {
    expect(runsCode(name, `${part.repeat(40)}!`)).toBe(true);
    expect(runsCode(name, `${part.repeat(many)}!`)).toBe(true);
  }
  for (const part of ["PROXY_ADDX", "CONFIG_", "_API_", "A_B"]) isSuspect(`${part.repeat(many)}!`, "https://x");
});
