/** The shell scripts that pnpm writes as commands of packages; pure. */

const SHEBANG = "#!/bin/sh\n";
/** The file in double quotes (pnpm 9 to 11, Yarn), or in single quotes behind the folder (pnpm 12). */
const TARGET = String.raw`(?:"\$basedir\/([^"$\`\\]+)"|"\$basedir_(?:abs|win)"\/'([^']+)')`;
const EXEC = new RegExp(String.raw`^ *(?:exec )?(?:"\$basedir\/node(?:\.exe)?"|node(?:\.exe)?) +${TARGET} "\$@"$`);
/** A line that starts the program: a script with another one is not generated. */
const STARTS = /"\$@"/;
/**
 * The line by which pnpm's `run_helper` starts readlink, sed and the like. The whole line must match: another program could be
 * started beside `command "$@"`.
 */
const HELPER = /^ *if [^@]+; then command -p "\$@"; else command "\$@"; fi$/;

/**
 * Returns the file that a generated script starts, relative to its folder; undefined for any other script. Each line that
 * passes the arguments on must be one of those that are generated, and start the same file.
 */
export function targetOfShim(text: string): string | undefined {
  if (!text.startsWith(SHEBANG) || !/^ *basedir=/m.test(text)) return undefined;
  const starts = text.split("\n").filter((line) => STARTS.test(line) && !HELPER.test(line));
  const targets = new Set(
    starts.map((line) => {
      const [, quoted, single] = EXEC.exec(line) ?? [];
      return quoted ?? single;
    }),
  );
  const [target] = targets;
  return targets.size === 1 ? target : undefined;
}
