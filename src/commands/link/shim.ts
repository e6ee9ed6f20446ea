/**
 * Parses the shell scripts (shims) that pnpm and Yarn write into `node_modules/.bin` as commands of packages. `sophia-run
 * link` may replace such a script by a link, but must leave a script that a user has written or extended. A script ends
 * with a line such as
 *
 *     exec node  "$basedir/../sophia-run/bin/sophia-run.cjs" "$@"
 */

const SHEBANG = "#!/bin/sh\n";

/**
 * The file that Node.js starts: `"$basedir/../pkg/cli.js"` (pnpm 9 to 11, Yarn), or `"$basedir_abs"/'../pkg/cli.js'` (pnpm
 * 12).
 */
const TARGET_PATTERN = String.raw`(?:"\$basedir\/([^"$\`\\]+)"|"\$basedir_(?:abs|win)"\/'([^']+)')`;

/** A generated line that starts the file, such as `  exec node  "$basedir/../pkg/cli.js" "$@"`. */
const START_LINE = new RegExp(
  String.raw`^ *(?:exec )?(?:"\$basedir\/node(?:\.exe)?"|node(?:\.exe)?) +${TARGET_PATTERN} "\$@"$`,
);

const ALL_ARGUMENTS = '"$@"';

/**
 * The line by which the function `run_helper` of pnpm 12 starts readlink, sed and the like. The whole line must match,
 * since another program could be started beside `command "$@"`.
 */
const HELPER_LINE = /^ *if [^@]+; then command -p "\$@"; else command "\$@"; fi$/;

/**
 * Returns the file that a generated script starts, relative to the script's folder; undefined for any other script. A
 * script is generated if each line that passes the arguments on has a generated form, and all of these lines start the same
 * file.
 */
export function parseShimTarget(text: string): string | undefined {
  if (!text.startsWith(SHEBANG) || !/^ *basedir=/m.test(text)) return undefined;
  const startLines = text.split("\n").filter((line) => line.includes(ALL_ARGUMENTS) && !HELPER_LINE.test(line));
  // A line of another form adds undefined to the set, which is then not the only target, or is returned.
  const targets = new Set(startLines.map(parseStartLine));
  const [target] = targets;
  return targets.size === 1 ? target : undefined;
}

function parseStartLine(line: string): string | undefined {
  const [, doubleQuoted, singleQuoted] = START_LINE.exec(line) ?? [];
  return doubleQuoted ?? singleQuoted;
}
