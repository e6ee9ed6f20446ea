/**
 * Decides by name and value whether a variable makes other programs run code. A `.env` file that was found must not set such a
 * variable, because it may come from a cloned repository. `NODE_OPTIONS=--require ./evil.js` runs code, and
 * `NODE_OPTIONS=--max-old-space-size=4096` does not.
 *
 * `code-variables.ts` has the kind of each name, such as `pager`. This file has patterns of the harmless values of each kind. Every
 * other value is judged to run code.
 */
import { type CodeKind, codeKindOf } from "./code-variables.ts";

/** Returns true if the variable makes other programs run code, or may do so and has a value that is too long to be judged. */
export function runsCode(name: string, value: string): boolean {
  const kind = codeKindOf(name);
  const text = value.trim();
  return kind !== undefined && text !== "" && (text.length > MAX_JUDGED_LENGTH || !isHarmless(kind, text));
}

/** Longer values are not judged, because some patterns take time that grows with the square of the length. */
const MAX_JUDGED_LENGTH = 4096;

/** Returns true if the value of a variable of this kind runs no code. @param value without spaces around it */
function isHarmless(kind: CodeKind, value: string): boolean {
  const words = value.split(/\s+/);
  switch (kind) {
    case "always":
      return false;
    case "node":
      // Bun splits words in another way, so that BUN_OPTIONS has the kind "always".
      return !nodeOptionsRunCode(splitNodeOptions(value));
    case "ruby":
      // Options about warnings and compilers are harmless. `-r` loads a file, and `-I` adds a folder with such files.
      return words.every((word) => HARMLESS_IN_RUBY.test(word));
    case "deployment":
      // A shell runs ENV as a file, but many applications use it for the name of their deployment.
      return DEPLOYMENT.test(value);
    case "pager":
      // An editor is not harmless as a pager: it would read the text, which a repository may have written, as keys.
      return PAGER.test(value);
    case "program":
      return PROGRAM.test(value) || PAGER.test(value);
    case "toolchain":
      // A name without a folder is found on the PATH.
      return /^(?:(?:ccache|sccache|distcc) )?[\w.+@-]+$/.test(value) || consistsOfSystemPaths(value);
    case "flags":
      return !words.some((word) => CODE_LOADING_FLAG.test(word));
    case "make":
      return words.every((word) => HARMLESS_IN_MAKE.test(word));
    case "go":
      // These options start programs in place of those of Go, or replace source files.
      return !/-(?:toolexec|exec|overlay|modfile|gccgoflags|compiler|C|vettool)\b|extld|extar|plugin/.test(value);
    case "rust":
      // These options choose a linker, load a plug-in, or read further options from a file (`@`).
      return !/(?:^|[^\w-])@|linker|link-arg|plugin|extern|codegen-backend|sysroot|-L|-Z/.test(value);
    case "java":
      return words.every((word) => isHarmlessInJava(word));
    case "erlang":
      return HARMLESS_IN_ERLANG.test(value);
    case "less":
      return isHarmlessInLess(value, words);
    case "path":
      return consistsOfSystemPaths(value);
    case "libraries":
      // Only absolute paths are harmless. The dynamic linker also splits at `;`, and takes an empty part for the working directory.
      // Paths in /proc and /dev may lead to the working directory, too.
      return value.split(/[:;]/).every((path) => /^\/(?!(?:proc|dev)\/|\/|.*(?:\/\.\.|\/{2}))/.test(path));
    case "shell":
      return (
        /^(?:\/(?:usr\/(?:local\/)?)?bin\/|\/opt\/homebrew\/bin\/)?(?:ba|z|da|k|mk|a|fi|c|tc)?sh$/.test(value) ||
        /^C:\\Windows\\/i.test(value)
      );
    case "terraform":
      return !/-(?:plugin-dir|chdir)\b/.test(value);
    case "bus":
      // These transports of D-Bus start a program, or connect to other machines.
      return !/unixexec|launchd|autolaunch|tcp|nonce/i.test(value);
    case "zip":
      // `zip -T` tests an archive by a command, which --unzip-command names.
      return !/-\w*T|--unzip-command/.test(value);
    case "protocols":
      // git runs a command for a URL of the protocol `ext`.
      return /^(?:(?:https?|ssh|git|file)(?::|$))+$/.test(value);
    case "python-warnings":
      return value.split(",").every((filter) => HARMLESS_WARNING.test(filter.trim()));
    case "python-callable":
      // PYTHONBREAKPOINT=0 turns breakpoints off. The other values are functions of debuggers.
      return /^(?:0|(?:pdb|ipdb|bpdb|pudb|wdb|web_pdb|remote_pdb|rpdb|pdbpp|debugpy|IPython|celery\.contrib\.rdb)\.\w+)$/.test(
        value,
      );
    case "backend":
      // A backend is a Python module, which Python may load from the working directory. These are part of installed packages.
      return /^[A-Za-z\d]+$|^keyring\.|^module:\/\/(?:matplotlib_inline|ipympl)\b/.test(value);
    case "switch":
      return /^(?:0|false|no|off)$/i.test(value);
    case "version":
      // The value chooses an installed version, or names an interpreter of the system by its path.
      return (
        /^(?:(?:c?python|pypy|stable|beta|nightly)[\w.+-]*|\d[\w.+-]*)$/.test(value) || consistsOfSystemPaths(value)
      );
  }
}

/**
 * Returns true for options of `less` that are harmless. Not harmless are a command that `less` runs at its start (`+!`), a file
 * that assigns keys (k), and a file to which `less` writes (o, O).
 */
function isHarmlessInLess(value: string, words: readonly string[]): boolean {
  return (
    words.every((word) => /^[\w-]+(?:=\w*)?$/.test(word)) &&
    !/(?:^|\s)-?[a-jl-zA-Z\d]*[kKoO]/.test(value) &&
    // `less` accepts long options in any case, and abbreviated.
    !/--(?:less|lo)/i.test(value)
  );
}

/** Matches the folder of a system's program, or nothing, at the beginning of a value. */
const SYSTEM_BIN = "^(?:/usr(?:/local)?/bin/|/bin/|/opt/homebrew/bin/)?";

/** Matches pagers by their names, with options that run no command. For `less`, these exclude `-k`, `-K`, `-o` and `-O`. */
const PAGER = new RegExp(
  `${SYSTEM_BIN}(?:less(?: -[a-jl-zA-JL-NP-Z\\d]+)*|(?:more|most|cat|bat|batcat|delta|diff-so-fancy|moar|moor|ov|pspg)(?: (?:-p|--plain|--paging=\\w+|--style=\\w+|--color=\\w+))*)$`,
);

/** Matches editors and browsers by their names, with the options that make them wait until the user has closed the file. */
const PROGRAM = new RegExp(
  `${SYSTEM_BIN}(?:${[
    "none|true|false|:|vi|vim|nvim|gvim|nano|pico|emacs|emacsclient|micro|hx|helix|joe|ne|mg|kak|notepad(?:\\+\\+)?",
    "code(?:-insiders)?|codium|cursor|windsurf|zed|subl|atom|mate|gedit|kate|idea|pycharm|webstorm|goland|phpstorm|rubymine",
    "(?:google[ -])?chrome(?:-stable)?|chromium(?:-browser)?|firefox|brave(?:-browser)?|opera|safari|(?:microsoft[ -]|ms)?edge",
    "webkit|vivaldi|lynx|w3m|links|open|xdg-open|wslview|sensible-(?:browser|editor|pager)|man|browser",
  ].join("|")})(?: (?:-[wnt]|-nw|--wait|--new-window))*$`,
  "i",
);

/** Matches options of compilers and linkers that load code, start another program, or read further options from a file. */
const CODE_LOADING_FLAG =
  /^@|plugin|^-(?:B|specs|wrapper|fuse-ld|-?ld-path|load|Xclang|Xlinker|-?config|-?gcc-)|dlopen/i;

/** Matches the options of `make` that neither name a file nor set a variable. */
const HARMLESS_IN_MAKE =
  /^(?:-?[bBdeikLmnpqrRsStvw]+|-?[jl]\d*(?:\.\d+)?|--(?:jobs|silent|quiet|keep-going|no-print-directory|print-directory|output-sync|load-average|warn-undefined-variables|no-builtin-rules|trace)(?:=[\w.]+)?|-O\w*|\d+)$/;

/**
 * Matches a filter of PYTHONWARNINGS, such as `ignore::urllib3.exceptions.InsecureRequestWarning`. Python imports the module of the
 * category, so that only modules of well-known installed packages are harmless.
 */
const HARMLESS_WARNING =
  /^(?:default|error|always|all|module|once|ignore|i|e|d|a|m|o)(?::[^:]*(?::(?:(?:urllib3|requests|sqlalchemy|django|numpy|pandas|cryptography|pytest|setuptools|pkg_resources)\.[\w.]+|\w*)(?::[^:]*(?::\d*)?)?)?)?$/;

/** Matches options of Erlang's virtual machine that load no code. */
const HARMLESS_IN_ERLANG =
  /^(?:(?:\+\w+(?:\s+\d+)?|-kernel\s+shell_history\s+\w+|-kernel\s+shell_history_file_bytes\s+\d+|-proto_dist\s+inet6?_tcp|-noshell|-noinput|-elixir\s+ansi_enabled\s+\w+)(?:\s+|$))+$/;

/** Returns true for options of the JVM about memory and diagnosis, and for properties that have neither a path nor an address. */
function isHarmlessInJava(word: string): boolean {
  // Memory, the interpreter, and the log of the garbage collector
  if (/^-X(?:ms|mx|mn|ss|int|comp|mixed|rs|log:gc|shareclasses:none|tune:virtualized)[\w:*.-]*$/.test(word))
    return true;
  if (word.startsWith("-X:") || CODE_RUNNING_IN_JAVA.test(word)) return false;
  if (/^-XX:[+-]?\w+(?:=[\w.%]+)?$/.test(word) || HARMLESS_FILES_OF_JVM.test(word)) return true;
  if (/^-(?:ea|esa|server|client|B|ntp|q|e|U|o|T\d+C?|-no-daemon|-enable-preview|-no-transfer-progress)$/.test(word))
    return true;
  // The protocol of Java's debuggers
  const jdwp = /^-(?:agentlib:jdwp=|Xrunjdwp:)(.*)$/.exec(word)?.[1];
  if (jdwp !== undefined) return isLocalDebugger(jdwp);
  // A property: `-Dname=value`
  const [, name = "", value = ""] = /^-D([\w.-]+)(?:=(.*))?$/.exec(word) ?? [];
  if (name === "" || /proxy/i.test(name)) return false;
  if (/^(?:file\.encoding|user\.(?:timezone|language|country|region))$/.test(name)) return /^[\w/+-]*$/.test(value);
  if (/^(?:java|javax|jdk|sun|com\.sun)\./.test(name)) return HARMLESS_PROPERTY.test(word.slice(2));
  return !PROPERTY_OF_PATH.test(name) && /^[\w.,+%-]*$/.test(value);
}

/**
 * Matches the names of properties whose values may be files or addresses. The values alone do not show that, because a file may be
 * named without a path.
 */
const PROPERTY_OF_PATH =
  /conf|class|path|file(?!s\.)|dir|home|repo|user|loader|agent|ur[li]|location|lib|script|factory|provider|handler/i;

/** Matches options by which the JVM runs a command, loads a library, or reads further options from a file. */
const CODE_RUNNING_IN_JAVA =
  /^-XX:[+-]?(?:OnError|OnOutOfMemoryError|Flags|VMOptionsFile|Shared\w*|JVMCI\w*|EnableJVMCI\w*|CompileCommandFile|AOT\w*)/;
/** Matches options that name files to which the JVM only writes reports. */
const HARMLESS_FILES_OF_JVM = /^-XX:(?:HeapDumpPath|ErrorFile|LogFile)=[\w./%-]+$/;
/** Matches harmless properties of the JVM's own, such as those for the network, encodings and the source of random numbers. */
const HARMLESS_PROPERTY =
  /^(?:java\.(?:net\.preferIPv[46]\w+|awt\.headless|util\.concurrent\.[\w.]+|io\.tmpdir)|sun\.net\.inetaddr\.[\w.]+|sun\.(?:jnu|stdout|stderr)\.encoding|java\.security\.egd(?==file:\/dev\/(?:\.\/)?u?random$))=[\w./:-]*$/;

/**
 * Returns true if the JVM waits for a debugger to which only this machine can connect. From other machines that would be a risk,
 * because the JVM runs any code that a debugger sends.
 */
function isLocalDebugger(options: string): boolean {
  const address = /(?:^|,)address=([^,]*)/.exec(options)?.[1] ?? "";
  return (
    /(?:^|,)server=y(?:,|$)/.test(options) &&
    !/(?:^|,)(?:launch|onthrow|onuncaught)=/.test(options) &&
    !isOnOtherMachine(address)
  );
}

/**
 * Matches the beginning of a path in a folder that contains no repositories: folders of the system, and folders of settings in a
 * home directory. `/var/lib` is not among them, because `/var/lib/jenkins` contains repositories.
 */
const SYSTEM_PATH =
  /^(?:\/(?:etc|usr(?!\/src)|run|bin|lib|lib64|sbin|snap|nix\/store|Library|System|Applications|opt\/(?:java|jdk|homebrew|conda|miniconda|anaconda|hostedtoolcache|local|gradle|maven|google-cloud-sdk|cuda)[\w.-]*|var\/run)(?:\/|$)|\/(?:root|(?:home|Users)\/[^/]+)\/\.(?:kube|aws|config|docker|azure|gnupg|npmrc|npm-global|sdkman|jdks|asdf|gradle|m2|cargo|rustup|pulumi|composer|condarc|jupyter|ipython|julia|nvm|local\/share)(?:\/|$)|[A-Z]:\\(?:Program Files|Windows))/;

/** Returns true if a value consists of paths in folders of `SYSTEM_PATH`, separated by `:` (on Windows by `;`). */
function consistsOfSystemPaths(value: string): boolean {
  const paths = /^[A-Z]:\\/.test(value) ? value.split(";") : value.split(":");
  return paths.every((path) => path === "" || (SYSTEM_PATH.test(path) && !/(?:^|[/\\])\.\.(?:[/\\]|$)/.test(path)));
}

/** Matches options of Ruby about warnings, features, the compiler (JIT) and encodings. */
const HARMLESS_IN_RUBY = /^-(?:[wvd]|W(?:\d|:(?:no-)?\w+)?|-(?:enable|disable)(?:-|=)[\w-]+|-[yz]?jit|U|E[\w:-]+)$/;

/** Matches the usual names of deployments, for which many applications use the variable ENV. */
const DEPLOYMENT =
  /^(?:dev|develop|development|test|testing|ci|local|demo|sandbox|preview|qa|uat|stage|staging|preprod|live|prod|production)$/i;

/** The options of Node.js that load code, or a file that can name code. */
const CODE_LOADING_OPTIONS: ReadonlySet<string> = new Set(
  [
    ["-r", "--require", "--import", "--loader", "--experimental-loader", "--snapshot-blob", "--openssl-config"],
    ["--experimental-config-file", "--experimental-default-config-file", "--config-file"],
    ["--env-file", "--env-file-if-exists", "--test-reporter", "--test-global-setup"],
  ].flat(),
);

/** Matches the options that open Node's inspector, to which debuggers connect. */
const INSPECTOR = /^--(?:inspect(?:-brk|-port|-wait|-brk-node)?|debug-port)$/;
/** Matches the hosts that are this machine. */
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d+){1,3}|\[?::1\]?)$/;

/**
 * Returns true if an option of Node.js loads code, or opens an inspector to other machines. An inspector runs any code that a
 * debugger sends.
 */
function nodeOptionsRunCode(words: readonly string[]): boolean {
  return words.some((word, index) => {
    const equals = word.startsWith("--") ? word.indexOf("=") : -1;
    // Node.js accepts `_` for `-` in the names of options.
    const name = (equals === -1 ? word : word.slice(0, equals)).replaceAll("_", "-");
    if (CODE_LOADING_OPTIONS.has(name)) return true;
    if (!INSPECTOR.test(name)) return false;
    const value = equals === -1 ? (words[index + 1] ?? "") : word.slice(equals + 1);
    return isOnOtherMachine(value.startsWith("-") ? "" : value);
  });
}

/** Returns true for an address that is not only on this machine, such as `0.0.0.0:9229`. A port alone is on this machine. */
function isOnOtherMachine(address: string): boolean {
  const host = address.replace(/:\d+$/, "");
  return !/^\d*$/.test(host) && !LOOPBACK_HOST.test(host);
}

/**
 * Splits `NODE_OPTIONS` at spaces that are not in double quotes, as Node.js does. Within the quotes, a backslash escapes the next
 * character.
 */
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
