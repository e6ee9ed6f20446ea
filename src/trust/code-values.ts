/**
 * Decides by name and value whether a variable makes other programs run code. A `.env` file must not set such a variable:
 * `NODE_OPTIONS=--require ./evil.js` runs code, `NODE_OPTIONS=--max-old-space-size=4096` does not. Pure.
 *
 * `code-variables.ts` has the kind of each name. Here each kind has its harmless values; every other value counts as code.
 */
import { type CodeKind, codeKindOf } from "./code-variables.ts";

/** Returns true if the variable makes other programs run code. Texts that are too long to be judged count as code. */
export function runsCode(name: string, value: string): boolean {
  const kind = codeKindOf(name);
  const text = value.trim();
  return kind !== undefined && text !== "" && (text.length > MAX_JUDGED_LENGTH || !isHarmless(kind, text));
}

/** Some patterns take time that grows with the square of the length. */
const MAX_JUDGED_LENGTH = 4096;

function isHarmless(kind: CodeKind, value: string): boolean {
  const words = value.split(/\s+/);
  switch (kind) {
    case "always":
      return false;
    case "node":
      // These are the options of Node.js. Those of Bun, which splits words in another way, have the kind "always".
      return !optionsLoadCode(splitNodeOptions(value));
    case "ruby":
      // `-r` loads a file, and `-I` adds a folder for it. Warnings and the choice of a compiler are harmless.
      return words.every((word) => HARMLESS_IN_RUBY.test(word));
    case "deployment":
      // A shell runs ENV as a file, but many applications use it for the name of their deployment.
      return DEPLOYMENT.test(value);
    case "pager":
      // An editor is not harmless here: it would take the text for keys, and the repository may have written the text.
      return PAGER.test(value);
    case "program":
      return PROGRAM.test(value) || PAGER.test(value);
    case "toolchain":
      // A name without a folder is found on the PATH.
      return /^(?:(?:ccache|sccache|distcc) )?[\w.+@-]+$/.test(value) || isOfSystem(value);
    case "flags":
      return !words.some((word) => LOADING_FLAG.test(word));
    case "make":
      return words.every((word) => HARMLESS_IN_MAKE.test(word));
    case "go":
      return !/-(?:toolexec|exec|overlay|modfile|gccgoflags|compiler|C|vettool)\b|extld|extar|plugin/.test(value);
    case "rust":
      return !/(?:^|[^\w-])@|linker|link-arg|plugin|extern|codegen-backend|sysroot|-L|-Z/.test(value);
    case "java":
      return words.every((word) => isHarmlessInJava(word));
    case "erlang":
      return HARMLESS_IN_ERLANG.test(value);
    case "less":
      // A command (`+!`), a file with keys, and a file to write to are not harmless.
      return (
        words.every((word) => /^[\w-]+(?:=\w*)?$/.test(word)) &&
        !/(?:^|\s)-?[a-jl-zA-Z\d]*[kKoO]/.test(value) &&
        // `less` accepts long options in any case, and abbreviated.
        !/--(?:less|lo)/i.test(value)
      );
    case "path":
      return isOfSystem(value);
    case "libraries":
      // The loader also splits at `;`. It takes an empty part for the working directory, to which `/proc` leads as well.
      return value.split(/[:;]/).every((path) => /^\/(?!(?:proc|dev)\/|\/|.*(?:\/\.\.|\/{2}))/.test(path));
    case "shell":
      return (
        /^(?:\/(?:usr\/(?:local\/)?)?bin\/|\/opt\/homebrew\/bin\/)?(?:ba|z|da|k|mk|a|fi|c|tc)?sh$/.test(value) ||
        /^C:\\Windows\\/i.test(value)
      );
    case "terraform":
      return !/-(?:plugin-dir|chdir)\b/.test(value);
    case "bus":
      return !/unixexec|launchd|autolaunch|tcp|nonce/i.test(value);
    case "zip":
      return !/-\w*T|--unzip-command/.test(value);
    case "protocols":
      return /^(?:(?:https?|ssh|git|file)(?::|$))+$/.test(value);
    case "python-warnings":
      return value.split(",").every((filter) => HARMLESS_WARNING.test(filter.trim()));
    case "python-callable":
      return /^(?:0|(?:pdb|ipdb|bpdb|pudb|wdb|web_pdb|remote_pdb|rpdb|pdbpp|debugpy|IPython|celery\.contrib\.rdb)\.\w+)$/.test(
        value,
      );
    case "backend":
      return /^[A-Za-z\d]+$|^keyring\.|^module:\/\/(?:matplotlib_inline|ipympl)\b/.test(value);
    case "switch":
      return /^(?:0|false|no|off)$/i.test(value);
    case "version":
      return /^(?:(?:c?python|pypy|stable|beta|nightly)[\w.+-]*|\d[\w.+-]*)$/.test(value) || isOfSystem(value);
  }
}

/** The folders of the system's programs, before the name of one. */
const SYSTEM_BIN = "^(?:/usr(?:/local)?/bin/|/bin/|/opt/homebrew/bin/)?";

const PAGER = new RegExp(
  `${SYSTEM_BIN}(?:less(?: -[a-jl-zA-JL-NP-Z\\d]+)*|(?:more|most|cat|bat|batcat|delta|diff-so-fancy|moar|moor|ov|pspg)(?: (?:-p|--plain|--paging=\\w+|--style=\\w+|--color=\\w+))*)$`,
);

/** Editors and browsers by their names, with the options by which they wait. */
const PROGRAM = new RegExp(
  `${SYSTEM_BIN}(?:${[
    "none|true|false|:|vi|vim|nvim|gvim|nano|pico|emacs|emacsclient|micro|hx|helix|joe|ne|mg|kak|notepad(?:\\+\\+)?",
    "code(?:-insiders)?|codium|cursor|windsurf|zed|subl|atom|mate|gedit|kate|idea|pycharm|webstorm|goland|phpstorm|rubymine",
    "(?:google[ -])?chrome(?:-stable)?|chromium(?:-browser)?|firefox|brave(?:-browser)?|opera|safari|(?:microsoft[ -]|ms)?edge",
    "webkit|vivaldi|lynx|w3m|links|open|xdg-open|wslview|sensible-(?:browser|editor|pager)|man|browser",
  ].join("|")})(?: (?:-[wnt]|-nw|--wait|--new-window))*$`,
  "i",
);

/** Options of compilers and linkers that load code, start another program, or read further options from a file. */
const LOADING_FLAG = /^@|plugin|^-(?:B|specs|wrapper|fuse-ld|-?ld-path|load|Xclang|Xlinker|-?config|-?gcc-)|dlopen/i;

const HARMLESS_IN_MAKE =
  /^(?:-?[bBdeikLmnpqrRsStvw]+|-?[jl]\d*(?:\.\d+)?|--(?:jobs|silent|quiet|keep-going|no-print-directory|print-directory|output-sync|load-average|warn-undefined-variables|no-builtin-rules|trace)(?:=[\w.]+)?|-O\w*|\d+)$/;

/**
 * A filter for warnings imports the module of its category, and does nothing else. These modules are of installed packages.
 */
const HARMLESS_WARNING =
  /^(?:default|error|always|all|module|once|ignore|i|e|d|a|m|o)(?::[^:]*(?::(?:(?:urllib3|requests|sqlalchemy|django|numpy|pandas|cryptography|pytest|setuptools|pkg_resources)\.[\w.]+|\w*)(?::[^:]*(?::\d*)?)?)?)?$/;

const HARMLESS_IN_ERLANG =
  /^(?:(?:\+\w+(?:\s+\d+)?|-kernel\s+shell_history\s+\w+|-kernel\s+shell_history_file_bytes\s+\d+|-proto_dist\s+inet6?_tcp|-noshell|-noinput|-elixir\s+ansi_enabled\s+\w+)(?:\s+|$))+$/;

/** Accepts options of the JVM about memory, and properties that have neither a path nor an address. */
function isHarmlessInJava(word: string): boolean {
  if (/^-X(?:ms|mx|mn|ss|int|comp|mixed|rs|log:gc|shareclasses:none|tune:virtualized)[\w:*.-]*$/.test(word))
    return true;
  if (word.startsWith("-X:") || LOADING_IN_JAVA.test(word)) return false;
  if (/^-XX:[+-]?\w+(?:=[\w.%]+)?$/.test(word) || HARMLESS_FILES_OF_JVM.test(word)) return true;
  if (/^-(?:ea|esa|server|client|B|ntp|q|e|U|o|T\d+C?|-no-daemon|-enable-preview|-no-transfer-progress)$/.test(word))
    return true;
  const jdwp = /^-(?:agentlib:jdwp=|Xrunjdwp:)(.*)$/.exec(word)?.[1];
  if (jdwp !== undefined) return isLocalDebugger(jdwp);
  const [, name = "", value = ""] = /^-D([\w.-]+)(?:=(.*))?$/.exec(word) ?? [];
  if (name === "" || /proxy/i.test(name)) return false;
  if (/^(?:file\.encoding|user\.(?:timezone|language|country|region))$/.test(name)) return /^[\w/+-]*$/.test(value);
  if (/^(?:java|javax|jdk|sun|com\.sun)\./.test(name)) return HARMLESS_PROPERTY.test(word.slice(2));
  return !LEADING_TO_FILES.test(name) && /^[\w.,+%-]*$/.test(value);
}

/** A file or a folder may have a name without a path. */
const LEADING_TO_FILES =
  /conf|class|path|file(?!s\.)|dir|home|repo|user|loader|agent|ur[li]|location|lib|script|factory|provider|handler/i;

const LOADING_IN_JAVA =
  /^-XX:[+-]?(?:OnError|OnOutOfMemoryError|Flags|VMOptionsFile|Shared\w*|JVMCI\w*|EnableJVMCI\w*|CompileCommandFile|AOT\w*)/;
const HARMLESS_FILES_OF_JVM = /^-XX:(?:HeapDumpPath|ErrorFile|LogFile)=[\w./%-]+$/;
const HARMLESS_PROPERTY =
  /^(?:java\.(?:net\.preferIPv[46]\w+|awt\.headless|util\.concurrent\.[\w.]+|io\.tmpdir)|sun\.net\.inetaddr\.[\w.]+|sun\.(?:jnu|stdout|stderr)\.encoding|java\.security\.egd(?==file:\/dev\/(?:\.\/)?u?random$))=[\w./:-]*$/;

/** Returns true for a debugger that only this machine can reach. It runs any code that it receives. */
function isLocalDebugger(options: string): boolean {
  const address = /(?:^|,)address=([^,]*)/.exec(options)?.[1] ?? "";
  return (
    /(?:^|,)server=y(?:,|$)/.test(options) &&
    !/(?:^|,)(?:launch|onthrow|onuncaught)=/.test(options) &&
    !isElsewhere(address)
  );
}

/**
 * Folders of the system, and folders of settings in a home directory. No repository is in them, as one may be in
 * `/var/lib/jenkins`.
 */
const OF_SYSTEM =
  /^(?:\/(?:etc|usr(?!\/src)|run|bin|lib|lib64|sbin|snap|nix\/store|Library|System|Applications|opt\/(?:java|jdk|homebrew|conda|miniconda|anaconda|hostedtoolcache|local|gradle|maven|google-cloud-sdk|cuda)[\w.-]*|var\/run)(?:\/|$)|\/(?:root|(?:home|Users)\/[^/]+)\/\.(?:kube|aws|config|docker|azure|gnupg|npmrc|npm-global|sdkman|jdks|asdf|gradle|m2|cargo|rustup|pulumi|composer|condarc|jupyter|ipython|julia|nvm|local\/share)(?:\/|$)|[A-Z]:\\(?:Program Files|Windows))/;

function isOfSystem(value: string): boolean {
  const paths = /^[A-Z]:\\/.test(value) ? value.split(";") : value.split(":");
  return paths.every((path) => path === "" || (OF_SYSTEM.test(path) && !/(?:^|[/\\])\.\.(?:[/\\]|$)/.test(path)));
}

const HARMLESS_IN_RUBY = /^-(?:[wvd]|W(?:\d|:(?:no-)?\w+)?|-(?:enable|disable)(?:-|=)[\w-]+|-[yz]?jit|U|E[\w:-]+)$/;

const DEPLOYMENT =
  /^(?:dev|develop|development|test|testing|ci|local|demo|sandbox|preview|qa|uat|stage|staging|preprod|live|prod|production)$/i;

/** Options of Node.js that load code, or a file that can name code. */
const LOADING: ReadonlySet<string> = new Set(
  [
    ["-r", "--require", "--import", "--loader", "--experimental-loader", "--snapshot-blob", "--openssl-config"],
    ["--experimental-config-file", "--experimental-default-config-file", "--config-file"],
    ["--env-file", "--env-file-if-exists", "--test-reporter", "--test-global-setup"],
  ].flat(),
);

const INSPECTOR = /^--(?:inspect(?:-brk|-port|-wait|-brk-node)?|debug-port)$/;
const OF_THIS_MACHINE = /^(?:localhost|127(?:\.\d+){1,3}|\[?::1\]?)$/;

/**
 * Returns true if an option loads code, or opens an inspector to other machines: an inspector runs any code that it
 * receives.
 */
function optionsLoadCode(words: readonly string[]): boolean {
  return words.some((word, index) => {
    const equals = word.startsWith("--") ? word.indexOf("=") : -1;
    // Node.js accepts `_` for `-` in the names of options.
    const name = (equals === -1 ? word : word.slice(0, equals)).replaceAll("_", "-");
    if (LOADING.has(name)) return true;
    if (!INSPECTOR.test(name)) return false;
    const value = equals === -1 ? (words[index + 1] ?? "") : word.slice(equals + 1);
    return isElsewhere(value.startsWith("-") ? "" : value);
  });
}

/** Returns true for the address of another machine; a port alone is on this one. */
function isElsewhere(address: string): boolean {
  const host = address.replace(/:\d+$/, "");
  return !/^\d*$/.test(host) && !OF_THIS_MACHINE.test(host);
}

/** Splits `NODE_OPTIONS` into words as Node.js does: within double quotes, a backslash escapes the next character. */
function splitNodeOptions(text: string): readonly string[] {
  const words: string[] = [];
  let isQuoted = false;
  let isWordStart = true;
  for (let index = 0; index < text.length; index += 1) {
    let character = text.charAt(index);
    if (character === "\\" && isQuoted) {
      index += 1;
      character = text.charAt(index);
    } else if (character === " " && !isQuoted) {
      isWordStart = true;
      continue;
    } else if (character === '"') {
      isQuoted = !isQuoted;
      continue;
    }
    words.push(isWordStart ? character : `${words.pop() ?? ""}${character}`);
    isWordStart = false;
  }
  return words;
}
