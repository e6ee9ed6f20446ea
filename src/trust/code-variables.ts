/**
 * Lists the variables that can make other programs run code, such as `NODE_OPTIONS` and `LD_PRELOAD`. A `.env` file that was found
 * must not set them, because a cloned repository may contain it. The names were compared with the lists of ld.so (secure execution),
 * sudo and coding agents. Variables that only choose among a repository's own code, such as `PYTHONPATH` and `COMPOSE_FILE`,
 * are not listed. The file is loaded only if a name suggests that it is needed; see suspects.ts.
 */

/**
 * The kind of a variable, which decides how `code-values.ts` judges its value. With `always`, every value is judged to run code,
 * because such a variable has no use in a `.env` file.
 */
export type CodeKind =
  | "always"
  | "node"
  | "ruby"
  /** The name of a deployment, such as `staging`, or a file that a shell runs. */
  | "deployment"
  | "pager"
  /** An editor or a browser. */
  | "program"
  /** A compiler, an interpreter or another tool that is found on the PATH. */
  | "toolchain"
  /** Options of C compilers and linkers. */
  | "flags"
  | "make"
  | "go"
  | "rust"
  | "java"
  | "erlang"
  | "less"
  /** Files or folders with settings, libraries or programs, which are harmless only in folders of the system. */
  | "path"
  /** Folders in which each program looks for its libraries. */
  | "libraries"
  | "shell"
  | "terraform"
  /** An address of D-Bus. */
  | "bus"
  | "zip"
  /** The protocols that git may use. */
  | "protocols"
  | "python-warnings"
  | "python-callable"
  /** A Python module that a library loads. */
  | "backend"
  /** A boolean that allows running code. */
  | "switch"
  /** The version of an interpreter, or its path. */
  | "version";

/** The names of each kind, in rows of related names. */
const NAMES_BY_KIND: Readonly<Record<CodeKind, readonly string[]>> = {
  always: [
    // Linkers and libraries
    ["DYLD_INSERT_LIBRARIES", "GCONV_PATH", "OPENSSL_CONF", "OPENSSL_ENGINES", "OPENSSL_MODULES"],
    ["OMP_TOOL_LIBRARIES", "CUDA_INJECTION32_PATH", "CUDA_INJECTION64_PATH", "NVTX_INJECTION64_PATH"],
    ["HSA_TOOLS_LIB", "NCCL_NET_PLUGIN", "NCCL_TUNER_PLUGIN", "NCCL_PROFILER_PLUGIN"],
    ["GTK_MODULES", "GTK3_MODULES", "GTK_PATH", "GIO_EXTRA_MODULES", "GIO_MODULE_DIR", "GDK_PIXBUF_MODULE_FILE"],
    ["QT_PLUGIN_PATH", "QT_QPA_PLATFORM_PLUGIN_PATH", "GST_PLUGIN_PATH", "GST_PLUGIN_SCANNER"],
    ["MAGICK_CONFIGURE_PATH", "MAGICK_CODER_MODULE_PATH", "GS_LIB", "SASL_PATH", "LIBMYSQL_PLUGINS"],
    [
      "NAPI_RS_NATIVE_LIBRARY_PATH",
      "VALGRIND_OPTS",
      "VALGRIND_LIB",
      "I_MPI_HYDRA_BOOTSTRAP_EXEC",
      "HYDRA_LAUNCHER_EXEC",
    ],
    // Shells
    ["BASH_ENV", "BASH_LOADABLES_PATH", "BASH_COMPLETION_USER_FILE", "BASH_COMPLETION_USER_DIR", "KSH_ENV"],
    ["ZDOTDIR", "FPATH", "NULLCMD", "READNULLCMD", "SHELLOPTS", "BASHOPTS", "INPUTRC", "STARSHIP_CONFIG"],
    ["PROMPT_COMMAND", "PS0", "PS1", "PS2", "PS4", "DIRENV_CONFIG", "DIRENV_BASH", "PSModulePath", "PSMODULEPATH"],
    ["MISE_TRUSTED_CONFIG_PATHS", "MISE_GLOBAL_CONFIG_FILE"],
    ["FZF_DEFAULT_COMMAND", "FZF_DEFAULT_OPTS", "FZF_DEFAULT_OPTS_FILE", "FZF_CTRL_T_COMMAND"],
    // Interpreters
    ["PYTHONSTARTUP", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONPLATLIBDIR", "PYTHONEXECUTABLE", "PYTHON_PRESITE"],
    ["PERL5OPT", "PERL5DB", "PERLDOC", "PERLDOC_PAGER", "PERL_CPANM_OPT", "PERL_MM_OPT", "PERL_MB_OPT"],
    ["PERLDB_OPTS", "HARNESS_PERL_SWITCHES", "PYENV_HOOK_PATH", "RBENV_HOOK_PATH", "NODENV_HOOK_PATH"],
    ["RUBYGEMS_GEMDEPS", "GEMRC", "IRBRC", "PRYRC", "RUBY_DEBUG_INIT_SCRIPT", "RUBY_DEBUG_COMMANDS"],
    ["NODE_REPL_EXTERNAL_MODULE", "ELECTRON_RUN_AS_NODE", "BUN_OPTIONS"],
    // Node.js receives messages from this descriptor. Another process, or a file of the repository, may have written them.
    ["NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE"],
    [
      "DOTNET_STARTUP_HOOKS",
      "DOTNET_ADDITIONAL_DEPS",
      "DOTNET_SHARED_STORE",
      "DOTNET_DiagnosticPorts",
      "DOTNET_DIAGNOSTICPORTS",
    ],
    ["R_PROFILE", "R_PROFILE_USER", "R_ENVIRON", "R_ENVIRON_USER", "JULIA_SHELL", "TCLLIBPATH", "TCL_LIBRARY"],
    ["TK_LIBRARY", "EMACSLOADPATH", "ERL_INETRC"],
    // Builds
    ["MAKEFILES", "CONFIG_SITE", "CONFIG_SHELL", "PKG_CONFIG", "CMAKE_PROJECT_TOP_LEVEL_INCLUDES"],
    ["CCACHE_PREFIX", "CCACHE_PREFIX_CPP", "CCACHE_COMPILER", "CCACHE_CONFIGPATH", "GOAUTH", "GOTOOLDIR", "GOENV"],
    ["GOCACHEPROG"],
    ["NIX_CONFIG", "NIX_USER_CONF_FILES", "NIX_CONF_DIR"],
    ["HOMEBREW_BREW_GIT_REMOTE", "HOMEBREW_CURL_PATH", "HOMEBREW_GIT_PATH"],
    // Tools that start others
    ["GIT_SSH", "GIT_SSH_COMMAND", "GIT_EXTERNAL_DIFF", "GIT_PROXY_COMMAND", "GIT_EXEC_PATH"],
    [
      "GIT_TEMPLATE_DIR",
      "GIT_DIR",
      "GIT_COMMON_DIR",
      "GIT_DIFFTOOL_EXTCMD",
      "GIT_ASKPASS",
      "SSH_ASKPASS",
      "SUDO_ASKPASS",
    ],
    ["SSH_SK_PROVIDER", "SSH_SK_HELPER", "SSH_PKCS11_HELPER", "HGRCPATH", "HGMERGE", "SVN_MERGE"],
    ["SVN_SSH", "CVS_RSH", "RSYNC_RSH", "RSYNC_CONNECT_PROG", "BORG_RSH", "BORG_REMOTE_PATH", "BORG_PASSCOMMAND"],
    ["RESTIC_PASSWORD_COMMAND", "RCLONE_PASSWORD_COMMAND", "SOPS_AGE_KEY_CMD"],
    ["LESSOPEN", "LESSCLOSE", "LESSKEY", "LESSKEYIN", "LESSKEY_SYSTEM", "LESSKEYIN_SYSTEM", "LESSKEY_CONTENT"],
    ["MANOPT", "MANROFFOPT", "MANLESS", "GROFF_BIN_PATH", "GROFF_COMMAND_PREFIX"],
    ["VIMINIT", "EXINIT", "GVIMINIT", "VIMRUNTIME", "NVIM_APPNAME", "SCREENRC", "SYSSCREENRC", "PSQLRC"],
    ["TAR_OPTIONS", "ZIPOPT", "RIPGREP_CONFIG_PATH", "BAT_CONFIG_PATH", "BAT_CONFIG_DIR"],
    ["MAILCAPS", "MAILRC", "LYNX_CFG", "LFTP_HOME", "WGETRC", "SYSTEM_WGETRC", "CURL_HOME"],
    ["KUBECTL_EXTERNAL_DIFF", "HELM_PLUGINS", "KUSTOMIZE_PLUGIN_HOME", "CONTAINERS_CONF"],
    ["TF_CLI_CONFIG_FILE", "TERRAFORM_CONFIG", "TF_REATTACH_PROVIDERS", "PACKER_CONFIG", "PACKER_PLUGIN_PATH"],
    ["PULUMI_PYTHON_CMD", "CLOUDSDK_PYTHON_ARGS"],
    // Coding agents
    ["CLAUDE_CODE_SHELL_PREFIX", "CLAUDE_CONFIG_DIR", "CLAUDE_ENV_FILE", "CODEX_HOME", "GEMINI_SANDBOX"],
    ["GEMINI_CLI_SYSTEM_SETTINGS_PATH", "GEMINI_CLI_SYSTEM_DEFAULTS_PATH", "CURSOR_CONFIG_DIR", "COPILOT_HOME"],
    ["OPENCODE_CONFIG", "OPENCODE_CONFIG_DIR", "OPENCODE_CONFIG_CONTENT", "AMP_SETTINGS_FILE"],
    ["AIDER_LINT_CMD", "AIDER_TEST_CMD"],
  ].flat(),
  node: ["NODE_OPTIONS"],
  ruby: ["RUBYOPT"],
  deployment: ["ENV"],
  pager: [
    ["PAGER", "GIT_PAGER", "MANPAGER", "SYSTEMD_PAGER", "PSQL_PAGER", "AWS_PAGER", "GH_PAGER", "BAT_PAGER"],
    ["DELTA_PAGER", "DPKG_PAGER", "RI_PAGER", "ACK_PAGER", "NIX_PAGER", "GLAB_PAGER"],
  ].flat(),
  program: [
    ["EDITOR", "VISUAL", "GIT_EDITOR", "GIT_SEQUENCE_EDITOR", "SYSTEMD_EDITOR", "PSQL_EDITOR"],
    ["GH_EDITOR", "KUBE_EDITOR", "SUDO_EDITOR", "FCEDIT", "LESSEDIT", "HGEDITOR", "SVN_EDITOR", "CVSEDITOR"],
    ["JULIA_EDITOR", "HOMEBREW_EDITOR", "SOPS_EDITOR", "AIDER_EDITOR", "LAUNCH_EDITOR", "REACT_EDITOR"],
    ["BUNDLER_EDITOR", "GEM_EDITOR", "GLAB_EDITOR", "BROWSER", "GH_BROWSER", "HOMEBREW_BROWSER", "R_BROWSER"],
  ].flat(),
  toolchain: [
    ["CC", "CXX", "CPP", "FC", "LD", "AR", "AS", "RUSTC", "RUSTDOC", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"],
    ["CARGO_BUILD_RUSTC", "CARGO_BUILD_RUSTC_WRAPPER", "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER"],
    ["CMAKE_C_COMPILER_LAUNCHER", "CMAKE_CXX_COMPILER_LAUNCHER", "TERRAGRUNT_TFPATH", "TG_TF_PATH", "JAVACMD"],
    ["CARGO_BUILD_RUSTDOC", "NODE_GYP_FORCE_PYTHON", "GOPACKAGESDRIVER", "HARNESS_PERL"],
    ["PYENV_VERSION", "RBENV_VERSION", "NODENV_VERSION"],
  ].flat(),
  flags: ["CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "CGO_CFLAGS", "CGO_CXXFLAGS", "CGO_CPPFLAGS", "CGO_LDFLAGS"],
  make: ["MAKEFLAGS", "GNUMAKEFLAGS"],
  go: ["GOFLAGS"],
  rust: [
    "RUSTFLAGS",
    "RUSTDOCFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTDOCFLAGS",
    "CARGO_ENCODED_RUSTDOCFLAGS",
  ],
  java: [
    ["MAVEN_OPTS", "MAVEN_ARGS", "GRADLE_OPTS", "SBT_OPTS", "ANT_OPTS", "CATALINA_OPTS", "JVM_OPTS", "LEIN_JVM_OPTS"],
    ["KAFKA_OPTS", "KAFKA_HEAP_OPTS", "KAFKA_JMX_OPTS", "SOLR_OPTS", "HADOOP_OPTS"],
  ].flat(),
  erlang: ["ERL_FLAGS", "ERL_AFLAGS", "ERL_ZFLAGS", "ELIXIR_ERL_OPTIONS"],
  less: ["LESS"],
  path: [
    ["XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_DATA_HOME", "XDG_DATA_DIRS", "GNUPGHOME"],
    ["PERL5LIB", "PERLLIB", "RUBYLIB", "GEM_HOME", "GEM_PATH", "PHPRC", "PHP_INI_SCAN_DIR", "COMPOSER_HOME"],
    ["PYTHONPYCACHEPREFIX", "NODE_COMPILE_CACHE", "COREPACK_HOME", "DENO_DIR", "IPYTHONDIR"],
    ["JUPYTER_CONFIG_DIR", "JUPYTER_CONFIG_PATH", "JUPYTER_PATH", "R_HOME", "JULIA_DEPOT_PATH", "JULIA_BINDIR"],
    ["ERL_LIBS", "JAVA_HOME", "JRE_HOME", "MAVEN_HOME", "GRADLE_USER_HOME", "DOTNET_ROOT", "DOTNET_HOST_PATH"],
    ["GOROOT", "CARGO_HOME", "RUSTUP_HOME", "CMAKE_TOOLCHAIN_FILE", "KUBECONFIG", "DOCKER_CONFIG", "NIX_PATH"],
    ["GH_CONFIG_DIR", "GLAB_CONFIG_DIR", "GH_PATH"],
    ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_DATA_PATH", "AZURE_CONFIG_DIR", "AZURE_EXTENSION_DIR"],
    ["CLOUDSDK_CONFIG", "CLOUDSDK_ROOT_DIR", "PULUMI_HOME", "CONDA_EXE", "MAMBA_EXE", "CONDARC"],
    ["CHROME_PATH", "CHROME_BIN", "PUPPETEER_EXECUTABLE_PATH", "RCLONE_CONFIG", "APT_CONFIG", "KRB5_CONFIG"],
    ["COMPILER_PATH", "GCC_EXEC_PREFIX", "HELM_DATA_HOME"],
    ["VIM", "ESBUILD_BINARY_PATH", "fish_function_path", "fish_complete_path"],
  ].flat(),
  libraries: [
    ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FRAMEWORK_PATH", "DYLD_FALLBACK_LIBRARY_PATH"],
    ["DYLD_FALLBACK_FRAMEWORK_PATH"],
  ].flat(),
  shell: ["SHELL", "COMSPEC"],
  terraform: ["TF_CLI_ARGS"],
  bus: ["DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS"],
  zip: ["ZIP"],
  protocols: ["GIT_ALLOW_PROTOCOL"],
  "python-warnings": ["PYTHONWARNINGS"],
  "python-callable": ["PYTHONBREAKPOINT"],
  backend: ["MPLBACKEND", "PYTHON_KEYRING_BACKEND"],
  switch: ["GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"],
  version: [
    "CLOUDSDK_PYTHON",
    "CLOUDSDK_GSUTIL_PYTHON",
    "CLOUDSDK_BQ_PYTHON",
    "UV_PYTHON",
    "PIP_PYTHON",
    "RUSTUP_TOOLCHAIN",
    "PYTHON",
  ],
};

/** The kind of each name. */
const KIND_BY_NAME: ReadonlyMap<string, CodeKind> = new Map(
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys are those of the object literal above
  (Object.entries(NAMES_BY_KIND) as [CodeKind, readonly string[]][]).flatMap(([kind, names]) =>
    names.map((name) => [name, kind] as const),
  ),
);

/**
 * The kinds of families of names, each with a pattern. Package managers ignore the case of their variables, and accept `-` in place
 * of `_`.
 */
const FAMILIES: readonly (readonly [CodeKind, RegExp])[] = [
  ["always", /^(?:LD_PRELOAD|LDR_PRELOAD|LD_AUDIT|BASH_FUNC_|GIT_CONFIG|LUA_INIT)/],
  ["always", /^(?:COR(?:ECLR)?_PROFILER_PATH|(?:DOTNET|COMPlus)_(?:GC(?:Name|Path)|(?:Alt)?JitName)$)/i],
  ["always", /^(?:OMPI|PMIX|PRTE)_MCA_\w*(?:agent|path|prefix|launch)/],
  ["always", /^BUN_INSPECT/],
  ["node", /^p?npm_config_node[_-]options$/i],
  ["always", /^p?npm_config_(?:(?:script[_-])?shell|call|init[_-]module|onload[_-]script|(?:global[_-])?pnpmfile)$/i],
  ["program", /^p?npm_config_(?:editor|viewer)$/i],
  ["toolchain", /^p?npm_config_(?:git|python|node[_-]gyp)$/i],
  ["path", /^p?npm_config_(?:(?:user|global)config|prefix)$/i],
  ["always", /^yarn_(?:node.options|script.shell|yarn.path|plugins|rc.filename)$/i],
  ["always", /^CARGO_(?:TARGET_\w+_(?:LINKER|RUNNER)|REGISTR\w+_CREDENTIAL_PROVIDERS?)$/],
  ["rust", /^CARGO_TARGET_\w+_RUST(?:DOC)?FLAGS$/],
  ["java", /^\w*JAVA(?:_TOOL)?_(?:OPTS|OPTIONS)(?:_APPEND)?$/],
  ["erlang", /^ERL_OTP\d+_FLAGS$/],
  ["terraform", /^TF_CLI_ARGS_\w+$/],
];

/** Returns the way in which the value of a variable is judged; undefined if no value makes other programs run code. */
export function codeKindOf(name: string): CodeKind | undefined {
  return KIND_BY_NAME.get(name) ?? FAMILIES.find(([, pattern]) => pattern.test(name))?.[0];
}

/** Returns true if a variable of this name can make other programs run code; `runsCode` also checks the value. */
export function mayRunCode(name: string): boolean {
  return codeKindOf(name) !== undefined;
}

/** All listed names, and the patterns of all families. A test needs them, and so does the generator of `suspect-names.ts`. */
export const CODE_NAMES: readonly string[] = [...KIND_BY_NAME.keys()];
export const CODE_FORMS: readonly RegExp[] = FAMILIES.map(([, pattern]) => pattern);
