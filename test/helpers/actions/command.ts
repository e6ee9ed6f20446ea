/** Finds the commands in the output of a step, as actions/runner does (ActionCommand.cs, ActionCommandManager.cs). */

/** A command, such as `::error file=app.ts::the message`. */
export interface RunnerCommand {
  readonly name: string;
  readonly data: string;
  readonly properties: Readonly<Record<string, string>>;
}

const REGISTERED: readonly string[] = [
  ["stop-commands", "set-env", "set-output", "save-state", "add-mask", "add-path", "add-matcher", "remove-matcher"],
  ["debug", "warning", "error", "notice", "group", "endgroup", "echo"],
].flat();

/** Splits the output of a step into lines, which end at LF, CR LF or CR (StreamReader.ReadLine). */
export function linesOf(output: string): readonly string[] {
  return output.split(/\r\n|\r|\n/);
}

/** Reads the commands of a job. Between `::stop-commands::TOKEN` and `::TOKEN::` there are none. */
export class Commands {
  private readonly registered = new Set(REGISTERED);
  /** The token that ends the present pause; undefined if there is none. */
  private token: string | undefined;

  /** Returns the command in a line, which the runner executes; undefined for a line that it shows. */
  read(line: string): RunnerCommand | undefined {
    const command = parseNewForm(line, this.registered) ?? parseOldForm(line, this.registered);
    if (command === undefined) return undefined;
    if (this.token !== undefined) {
      if (command.name.toLowerCase() !== this.token) return undefined;
      this.registered.delete(this.token);
      this.token = undefined;
    } else if (command.name.toLowerCase() === "stop-commands") {
      this.token = command.data.toLowerCase();
      this.registered.add(this.token);
    }
    return command;
  }
}

/** Parses `::NAME PROPERTIES::DATA` at the beginning of a line, behind white space of .NET (`TryParseV2`). */
function parseNewForm(line: string, registered: ReadonlySet<string>): RunnerCommand | undefined {
  const message = line.replace(/^[\s\u0085]+/, "");
  const end = message.startsWith("::") ? message.indexOf("::", 2) : -1;
  if (end === -1) return undefined;
  const { name, list } = split(message.slice(2, end));
  if (!registered.has(name.toLowerCase())) return undefined;
  return {
    name,
    data: unescape(message.slice(end + 2)),
    properties: propertiesOf(list.trim(), ",", unescapedProperty),
  };
}

/** Parses `##[NAME PROPERTIES]DATA` anywhere in a line (`TryParse`). */
function parseOldForm(line: string, registered: ReadonlySet<string>): RunnerCommand | undefined {
  const start = line.indexOf("##[");
  const end = start === -1 ? -1 : line.indexOf("]", start);
  if (end === -1) return undefined;
  const { name, list } = split(line.slice(start + 3, end));
  if (!registered.has(name.toLowerCase())) return undefined;
  return { name, data: unescapedOld(line.slice(end + 1)), properties: propertiesOf(list, ";", unescapedOld) };
}

/** Splits `NAME PROPERTIES`. */
function split(text: string): { readonly name: string; readonly list: string } {
  const space = text.indexOf(" ");
  return space === -1 ? { name: text, list: "" } : { name: text.slice(0, space), list: text.slice(space + 1) };
}

/** Parses `file=app.ts,line=7`. @param read unescapes a value */
function propertiesOf(list: string, separator: string, read: (text: string) => string): Record<string, string> {
  const pairs = list.split(separator).flatMap((pair) => {
    const index = pair.indexOf("=");
    return index <= 0 || index === pair.length - 1
      ? []
      : [[pair.slice(0, index), read(pair.slice(index + 1))] as const];
  });
  return Object.fromEntries(pairs);
}

function unescape(text: string): string {
  return text.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
}

function unescapedProperty(text: string): string {
  const lines = text.replaceAll("%0D", "\r").replaceAll("%0A", "\n");
  return lines.replaceAll("%3A", ":").replaceAll("%2C", ",").replaceAll("%25", "%");
}

function unescapedOld(text: string): string {
  const lines = text.replaceAll("%3B", ";").replaceAll("%0D", "\r").replaceAll("%0A", "\n");
  return lines.replaceAll("%5D", "]").replaceAll("%25", "%");
}
