/** The variables that Python code reads: by the standard library, django-environ, environs, python-decouple and pydantic-settings. */
import { matchesOf, type Reads } from "./reads.ts";

/** Finds `os.environ["X"]`, which throws without the variable, `os.environ.get("X")` and `os.getenv("X")`, also imported by name. */
export function readsOfPython(text: string): Reads {
  const subscript = /\benviron\[\s*["']([A-Za-z_]\w*)["']\s*\](?!\s*=(?!=))/g;
  return [
    ...matchesOf(text, subscript).map((name) => [name, true] as const),
    ...matchesOf(text, /\b(?:environ\.get|getenv)\(\s*["']([A-Za-z_]\w*)["']/g).map((name) => [name, false] as const),
    ...readsByCalls(text),
    ...readsBySettings(text),
  ];
}

/** Finds `config("X")` of decouple, and `env("X")` and `env.int("X")` of an `Env()`. Without further arguments they throw. */
function readsByCalls(text: string): Reads {
  const isDecouple = /^[ \t]*from decouple import .*\bconfig\b(?! as )/m.test(text);
  const isEnv = /^[ \t]*(?:import environ|from environs? import .*\bEnv)\b/m.test(text);
  // The names of `env.prefixed("X_")` are parts, and a scheme in `Env(…)` has defaults.
  const objects = isEnv && !/\bprefix/.test(text) ? matchesOf(text, /^[ \t]*(\w+)\s*=\s*(?:environ\.)?Env\(/gm) : [];
  const hasScheme = /\bEnv\(\s*[^\s)]/.test(text);
  return [...new Set([...(isDecouple ? ["config"] : []), ...objects])].flatMap((object) => {
    const call = new RegExp(String.raw`(?<![\w.])${object}(?:\.[a-z]+)?\(\s*["']([A-Z][A-Z0-9_]*)["']\s*(\)?)`, "g");
    const isRequired = (end: string | undefined): boolean => end === ")" && (object === "config" || !hasScheme);
    return Array.from(text.matchAll(call), ([, name = "", end]) => [name, isRequired(end)] as const);
  });
}

/** A type of a value that is one variable; the fields of other types may be models with variables of their own. */
const SCALAR =
  /^(?:(?:Optional|str|int|float|bool|bytes|None|Path|SecretStr|SecretBytes|(?:Any|AnyHttp|Http)Url|(?:Postgres|Redis|MySQL|Mongo|Amqp)Dsn|EmailStr)\b[[\]| ]*)+$/;

/** Names that the settings class takes from elsewhere. */
const RENAMES = /\b(?:alias_generator|fields\s*=)/;

/** Finds the fields of `class X(BaseSettings)` of pydantic: their names in upper case, behind `env_prefix`. */
function readsBySettings(text: string): Reads {
  if (!/\bpydantic/.test(text)) return [];
  const code = text.replaceAll("\r\n", "\n").replaceAll(/"""[\s\S]*?"""|'''[\s\S]*?'''/g, "");
  const settings = /^class \w+\((?:\w+\.)?BaseSettings\):.*\n((?:(?:[ \t].*)?\n|[ \t].*$)*)/gm;
  return matchesOf(code, settings).flatMap((body) => {
    const prefix = /\benv_prefix\s*=\s*["'](\w*)["']/.exec(body)?.[1];
    if (RENAMES.test(body) || (prefix === undefined && /\benv_prefix\b/.test(body))) return [];
    const isExact = /\bcase_sensitive\b\W+True\b/.test(body);
    const indent = /^[ \t]+(?=\S)/m.exec(body)?.[0] ?? "";
    const field = new RegExp(String.raw`^${indent}([A-Za-z]\w*)[ \t]*:([^=#\n]+)(?:=[ \t]*(.*))?`, "gm");
    return Array.from(body.matchAll(field)).flatMap(([, name = "", type = "", value]) => {
      if (!SCALAR.test(type.trim()) || (value !== undefined && !keepsName(value))) return [];
      const variable = (prefix ?? "") + name;
      const isRequired = value === undefined || /^Field\(\s*\.\.\./.test(value);
      return [[isExact ? variable : variable.toUpperCase(), isRequired] as const];
    });
  });
}

/** Returns true for a default that gives the field no other name. One of several lines may do that. */
function keepsName(value: string): boolean {
  return !/^Field\b/.test(value) || (/\)\s*(?:#.*)?$/.test(value) && !/\b(?:\w*alias|env)\s*=/.test(value));
}
