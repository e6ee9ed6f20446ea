/**
 * A cheap test for variables of files that need a closer look: those of code-variables.ts, network-variables.ts and
 * key-addresses.ts, which are loaded only then. It may report too many, never too few: tests go through the lists.
 */

/** Beginnings and ends of names, in any case, as some tools read theirs. */
const NAME =
  /^(LDR?_|DYLD|GC[CO]|OPENSSL|OMP|PMIX|PRTE|CUDA_I|NVTX|HSA|NCCL|NAPI|HARN|FISH_|(PY|RB|NOD)ENV_|GTK|G[DI][KO]_|QT_|GST|MAGICK|GS_|SAS|LIBM|VALG|HYDRA|I_M|(BA|K)?SH(_|ELL)|ZDO|FPA|NULLC|READN|INPUTR|PROMPT_|PS(\d$|[MQ])|DIRE|FZF|IPY|PYTHON($|[_SHWE]|BR|P[LY]|US)|PERL|RUBY|GEM(_|INI_[SC])|NODE_(REPL|[CG]|TLS)|ELEC|BUN_|DENO|DOTNET_([ADHJRS]|GC[NP])|COM(PI|PLUS|S)|COR(E|_P)|R_|JUL|TCL|TK_L|EMACS|ERL|MAKE|CMAKE|CCACHE|GO([AETRF]|CA|PA)|NIX_|HOMEB|GIT_|SSH_|HG|SVN|CVS|BORG|RSY|LESS|MA(N[ORL]|ILC|MBA)|GROFF|G?VIM|EXI|NVIM|TAR_|ZIP(OPT)?$|LUA_I|LYNX|KUBE|HELM_[KP]|PACKER|T(F_(CLI|R)|ERRAG|G_T)|P?NPM_|YARN_|PIP_|UV_|CARGO|XDG|DBUS|JUPYTER_[CP]|CLOUDSDK|CONDA|HEX_|RUST(C|D|F|UP)|DOCKER_[CTH]|CONTAINER_H|SSL(_C[AE]|K)|PHP_I|AMP_|AIDER|AWS_(SH|DA|END)|AZURE_(CLI|EXT)|BUNDLE_S|GRPC_D|CHROME_[BP]|CURL_I|MPLB|JAVAC|FCED|DD_(DD_)?(UR|SITE)|(G(H|L|ITLAB)|LANGFUSE|NEW_RELIC|(ANTHROP|OPENA)I\w?)_HO|GH_PA|GITLAB_U|CC$|CXX|CPP|F?C$|A[RS]$|ENV$|LD$)|(PROXY(_ADD\w+|_CAINFO)?|PAGER|EDITOR|VISUAL|BROWSER|FLAGS|OPT(S|IONS)(_APPEND)?|ARGS|CACERT(_BYTES)?|CA_?(BUNDLE|FILE|PATH|DIR|CERTS?)|RC(_PATH|FILE)?|CONFIG(_\w+)?|CONF|HOME|ENV_FILE|SHELL(_PREFIX)?|VERIFY|_ASKPASS|EXECUTABLES|_CMD|COMMAND|_API(_(BASE|HOST))?|_BASE_?URL|API_URL|ENDPOINT(_URL)?|BINARY_PATH|(TORY|L_SERVER|QL)_URL|VERSE_DOMAIN|_URL_OVERRIDE|_REGISTRY|SENTRY_URL)$/i;

/** Returns true for a variable that may run code, decide how programs connect, or send a key elsewhere. */
export function isSuspect(name: string, value: string): boolean {
  // No listed name is longer, and the pattern takes time that grows with the square of the length.
  return name.length < 200 && (NAME.test(name) || (name.endsWith("_HOST") && value.includes("//")));
}
