/**
 * Writes the text of `settings.py` from the contract, for `sophia-run docs`. This Python module has a class with a typed
 * attribute for each variable, which reads the variables from the environment.
 */
import type { Contract, Declaration, Rule, ValueFormat } from "../../contract/contract-model.ts";
import { wrap } from "../../core/lines.ts";
import { printable, unicodeEscape } from "../../core/text.ts";
import { withCommandsWhole } from "../../output/layout.ts";
import { createAttributeNames } from "./python-names.ts";
import { descriptionLines, createRuleFinder } from "./outline.ts";

/** `dataclass` needs no package, `pydantic` needs pydantic-settings. */
export type PythonStyle = "dataclass" | "pydantic";

/** The line length of the formatters ruff and black. */
const MAX_COLUMNS = 88;
const INDENT = "    ";

/** An attribute of the class. */
interface Field {
  readonly attribute: string;
  readonly declaration: Declaration;
  readonly rules: readonly Rule[];
  /** True for a variable that is required and has no default. */
  readonly isRequired: boolean;
  /** The Python type of its value, such as `int`. */
  readonly type: string;
  /** The default as a Python literal. */
  readonly defaultLiteral: string | undefined;
}

/** Returns the style of a module that `docs` has written. */
export function pythonStyleOf(text: string): PythonStyle {
  return /^from pydantic_settings import/m.test(text) ? "pydantic" : "dataclass";
}

/**
 * Returns the text of the module, for Python 3.10 and later. An attribute is None if its variable is unset or empty, and
 * neither required nor with a default. No `repr` shows a secret, and no error message contains a value.
 *
 * @param mark the result of `createMark`
 */
export function createPythonSettings(contract: Contract, mark: string, style: PythonStyle): string {
  const names = createAttributeNames([...contract.variables.keys()]);
  const rulesOf = createRuleFinder(contract);
  const fields = Array.from(contract.variables.values(), (declaration): Field => {
    const { name, default: fallback } = declaration;
    const rules = rulesOf(name);
    return {
      rules,
      attribute: names.get(name) ?? name,
      declaration,
      isRequired: fallback === undefined && rules.some(({ kind }) => kind === "required"),
      type: typeOf(declaration),
      // The value is in a file, and the program gets the path of this file, so that the default is not the variable's
      // value.
      defaultLiteral:
        fallback === undefined || declaration.as === "file" ? undefined : pythonLiteral(declaration, fallback),
    };
  });
  const moduleText = style === "dataclass" ? dataclassModule(fields) : pydanticModule(fields);
  return `# ${mark}; do not edit it.\n${moduleText}`;
}

function dataclassModule(fields: readonly Field[]): string {
  const formatKinds = new Set(fields.map(({ declaration }) => formatInProgram(declaration)?.kind));
  return `"""The environment variables of this repository: Settings.from_environment()."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass${fields.some(({ declaration }) => declaration.secret) ? ", field" : ""}
from typing import Any${formatKinds.has("enum") ? ", Literal" : ""}


class SettingsError(Exception):
    """Variables that are missing or malformed, by name. It holds no value."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The variables of the contract. Its \`repr\` does not show secrets."""

${fields.map(memberOfDataclass).join("\n\n")}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Reads os.environ or the given mapping; raises SettingsError."""
        source = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        faults: list[str] = []
        for attribute, name, convert, required in _VARIABLES:
            text = source.get(name, "")
            if not text.strip():
                if required:
                    faults.append(f"{name} is not set")
                continue
            try:
                values[attribute] = convert(text)
            except ValueError:
                faults.append(f"{name} does not have the declared format")
        if faults:
            raise SettingsError("; ".join(faults) + ": start this program with sophia-run")
        return cls(**values)

${formatKinds.has("boolean") ? BOOLEAN_FUNCTION : ""}${formatKinds.has("enum") ? ONE_OF_FUNCTION : ""}
# Attribute, variable, conversion, whether it is required.
_VARIABLES: tuple[tuple[str, str, Callable[[str], object], bool], ...] = (
${fields.map(rowOfDataclass).join("\n")}
)
`;
}

const BOOLEAN_FUNCTION = `
def _boolean(text: str) -> bool:
    word = text.lower()
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0"):
        return False
    raise ValueError

`;

const ONE_OF_FUNCTION = `
def _one_of(*allowed: str) -> Callable[[str], str]:
    def convert(text: str) -> str:
        if text not in allowed:
            raise ValueError
        return text

    return convert

`;

function rowOfDataclass({ attribute, declaration, isRequired }: Field): string {
  const cells = [
    quoted(attribute),
    quoted(declaration.name),
    conversionFor(declaration),
    isRequired ? "True" : "False",
  ];
  return `${INDENT}(${cells.join(", ")}),`;
}

function memberOfDataclass({ attribute, declaration, rules, isRequired, type, defaultLiteral }: Field): string {
  const annotation = isRequired || defaultLiteral !== undefined ? type : `${type} | None`;
  const defaultValue = isRequired ? undefined : (defaultLiteral ?? "None");
  const defaultArgument = defaultValue === undefined ? "" : `default=${defaultValue}, `;
  const assignedValue = declaration.secret ? `field(${defaultArgument}repr=False)` : defaultValue;
  const assignment = assignedValue === undefined ? "" : ` = ${assignedValue}`;
  return `${INDENT}${attribute}: ${annotation}${assignment}\n${docstring(declaration, rules)}`;
}

function pydanticModule(fields: readonly Field[]): string {
  const usesSecretStr = fields.some(({ declaration, type }) => declaration.secret && type === "str");
  const imports = ["Field", ...(usesSecretStr ? ["SecretStr"] : [])];
  const hasChoice = fields.some(({ type }) => type.startsWith("Literal"));
  return `"""The environment variables of this repository: Settings.from_environment()."""

from __future__ import annotations
${hasChoice ? "\nfrom typing import Literal\n" : ""}
from pydantic import ${imports.join(", ")}
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The variables of the contract. Its \`repr\` does not show secrets."""

    model_config = SettingsConfigDict(
        case_sensitive=True,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        protected_namespaces=(),
    )

${fields.map(memberOfPydantic).join("\n\n")}

    @classmethod
    def from_environment(cls) -> Settings:
        """Reads os.environ; raises pydantic.ValidationError, which holds no value."""
        return cls.model_validate({})
`;
}

function memberOfPydantic({ attribute, declaration, rules, isRequired, type, defaultLiteral }: Field): string {
  const { name, secret } = declaration;
  // SecretStr hides its text from `repr`. There is no such type for numbers.
  const isSecretStr = secret && type === "str";
  const valueType = isSecretStr ? "SecretStr" : type;
  const annotation = isRequired || defaultLiteral !== undefined ? valueType : `${valueType} | None`;
  const secretDefault = isSecretStr && defaultLiteral !== undefined ? `SecretStr(${defaultLiteral})` : defaultLiteral;
  const options = [
    ...(isRequired ? [] : [`default=${secretDefault ?? "None"}`]),
    `validation_alias=${quoted(name)}`,
    ...(secret && !isSecretStr ? ["repr=False"] : []),
  ];
  return `${INDENT}${attribute}: ${annotation} = Field(${options.join(", ")})\n${docstring(declaration, rules)}`;
}

function docstring(declaration: Declaration, rules: readonly Rule[]): string {
  const { name, docs, deprecated } = declaration;
  const lines = [
    ...descriptionLines(declaration, rules, name),
    ...(docs === undefined ? [] : [`See ${docs}`]),
    ...(deprecated === undefined ? [] : [`Deprecated: use ${deprecated}.`]),
  ].map((line) => printable(line).replaceAll(/[\\"]/g, String.raw`\$&`));
  const [first = "", ...rest] = lines.flatMap((line) => wrap(withCommandsWhole(line), MAX_COLUMNS - INDENT.length - 3));
  const body = rest.map((line) => (line === "" ? "" : INDENT + line));
  return `${INDENT}"""${[first, ...body, ...(rest.length === 0 ? [] : [INDENT])].join("\n")}"""`;
}

/** Returns the format of the text that the program gets. With `"as": "file"` this text is a path, which has no format. */
function formatInProgram({ as, format }: Declaration): Declaration["format"] {
  return as === "file" ? undefined : format;
}

function typeOf(declaration: Declaration): string {
  const format = formatInProgram(declaration);
  if (format?.kind === "enum") return `Literal[${quotedList(format.values)}]`;
  return TYPES_BY_FORMAT[format?.kind ?? "text"] ?? "str";
}

const TYPES_BY_FORMAT: { readonly [Kind in ValueFormat["kind"]]?: string } = {
  integer: "int",
  port: "int",
  number: "float",
  boolean: "bool",
};

/** Returns the Python function that converts the variable's text to its type. */
function conversionFor(declaration: Declaration): string {
  const format = formatInProgram(declaration);
  if (format?.kind === "boolean") return "_boolean";
  return format?.kind === "enum" ? `_one_of(${quotedList(format.values)})` : typeOf(declaration);
}

function quotedList(values: readonly string[]): string {
  return Array.from(new Set(values), quoted).join(", ");
}

/** Returns a default, which has the declared format, as a Python literal. */
function pythonLiteral(declaration: Declaration, value: string): string {
  const type = typeOf(declaration);
  // BigInt removes leading zeros, which Python rejects.
  if (type === "int") return String(BigInt(value.replace(/^\+/, "")));
  if (type === "float") return `float(${quoted(value)})`;
  if (type === "bool") return /^(?:true|yes|on|1)$/i.test(value) ? "True" : "False";
  return quoted(value);
}

/** Returns a string literal. JSON's escapes are valid in Python. */
function quoted(value: string): string {
  return JSON.stringify(value).replaceAll(/[\u007F-\u009F\u2028\u2029]/g, unicodeEscape);
}
