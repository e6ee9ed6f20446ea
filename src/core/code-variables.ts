/**
 * Variables that make other programs run code and have no use in a `.env` file, unlike `PYTHONPATH`, `EDITOR` and JVM
 * options. Compared with the lists of ld.so (secure execution), sudo and coding agents.
 */
const NAMES: ReadonlySet<string> = new Set(
  [
    ["DYLD_INSERT_LIBRARIES", "GCONV_PATH"],
    ["OPENSSL_CONF", "OPENSSL_ENGINES", "OPENSSL_MODULES"],
    ["BASH_ENV", "ENV", "KSH_ENV", "ZDOTDIR", "FPATH", "NULLCMD", "READNULLCMD", "SHELLOPTS", "BASHOPTS"],
    ["PROMPT_COMMAND", "PS0", "PS1", "PS2", "PS4"],
    ["PYTHONSTARTUP", "PYTHONHOME", "PERL5OPT", "PERL5DB", "RUBYOPT", "NODE_OPTIONS", "NODE_REPL_EXTERNAL_MODULE"],
    ["BUN_OPTIONS", "BUN_INSPECT_PRELOAD", "DOTNET_STARTUP_HOOKS"],
    ["GIT_SSH", "GIT_SSH_COMMAND", "GIT_EXTERNAL_DIFF", "GIT_PROXY_COMMAND", "GIT_EXEC_PATH"],
    ["GIT_TEMPLATE_DIR", "GIT_DIR", "GIT_COMMON_DIR", "GIT_ASKPASS", "SSH_ASKPASS", "SUDO_ASKPASS"],
    ["LESSOPEN", "LESSCLOSE", "VIMINIT", "EXINIT"],
  ].flat(),
);

const BEGINNINGS = /^(?:LDR?_PRELOAD|LD_AUDIT|BASH_FUNC_|GIT_CONFIG|LUA_INIT|COR(?:ECLR)?_PROFILER_PATH)/;
/** Settings of npm, pnpm and Yarn, in any case; they take `-` for `_`, as a name in a `.env` file may have it. */
const OF_PACKAGE_MANAGERS = /^(?:p?npm_config|yarn)_(?:node.options|script.shell|yarn.path|plugins)$/i;

/** Returns true if a variable of this name can make other programs run code; `runsCode` also checks the value. */
export function mayRunCode(name: string): boolean {
  return NAMES.has(name) || BEGINNINGS.test(name) || OF_PACKAGE_MANAGERS.test(name);
}
