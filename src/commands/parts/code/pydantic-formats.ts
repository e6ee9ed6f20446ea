/**
 * Translates the types of pydantic, a Python library for settings, into formats of a contract. Of this field declaration in a class
 * it returns the format `port`:
 *
 *     port: int = Field(ge=1, le=65535)
 */
import type { FormatEntry } from "../../../contract/generated/document.ts";
import { parseNumber, parseString, parseStrings, splitList, parseBracketContent } from "./expressions.ts";
import { findMatches } from "./reads.ts";
import { createEnumFormat, createNumberFormat, type NumberRange, createTextFormat } from "./type-formats.ts";

/** The declaration of a field in a class of Python, without its name. */
export interface FieldDeclaration {
  /** The annotation: `int`. */
  readonly type: string;
  /** The assigned expression: `Field(ge=1, le=65535)`. Undefined if nothing is assigned. */
  readonly value: string | undefined;
}

/** The URL schemes that pydantic 2 admits for each of its types. */
const URL_SCHEMES: Readonly<Record<string, readonly string[]>> = {
  HttpUrl: ["http", "https"],
  AnyHttpUrl: ["http", "https"],
  WebsocketUrl: ["ws", "wss"],
  AnyWebsocketUrl: ["ws", "wss"],
  FtpUrl: ["ftp"],
  PostgresDsn: [
    "postgres",
    "postgresql",
    ...listDriverSchemes("postgresql", "asyncpg pg8000 psycopg psycopg2 psycopg2cffi py-postgresql pygresql"),
  ],
  CockroachDsn: ["cockroachdb", "cockroachdb+psycopg2", "cockroachdb+asyncpg"],
  MySQLDsn: ["mysql", ...listDriverSchemes("mysql", "mysqlconnector aiomysql asyncmy mysqldb pymysql cymysql pyodbc")],
  MariaDBDsn: ["mariadb", "mariadb+mariadbconnector", "mariadb+pymysql"],
  RedisDsn: ["redis", "rediss"],
  MongoDsn: ["mongodb", "mongodb+srv"],
  AmqpDsn: ["amqp", "amqps"],
  KafkaDsn: ["kafka"],
  NatsDsn: ["nats", "tls", "ws", "wss"],
  ClickHouseDsn: [
    "clickhouse",
    "clickhouses",
    "clickhousedb",
    ...listDriverSchemes("clickhouse", "native asynch http"),
  ],
};

/** Returns the schemes of a database with each of its drivers, such as `postgresql+asyncpg`. */
function listDriverSchemes(database: string, drivers: string): readonly string[] {
  return drivers.split(" ").map((driver) => `${database}+${driver}`);
}

/** The types of integers, each with the range that its name states. */
const INTEGER_TYPES: Readonly<Record<string, NumberRange>> = {
  int: {},
  StrictInt: {},
  conint: {},
  PositiveInt: { minimum: 1 },
  NonNegativeInt: { minimum: 0 },
  NegativeInt: { maximum: -1 },
  NonPositiveInt: { maximum: 0 },
};
/** The types of other numbers. A contract has inclusive bounds only, so PositiveFloat, which excludes 0, has 0 as its minimum. */
const FLOAT_TYPES: Readonly<Record<string, NumberRange>> = {
  float: {},
  confloat: {},
  PositiveFloat: { minimum: 0 },
  NonNegativeFloat: { minimum: 0 },
  NonPositiveFloat: { maximum: 0 },
};

/** The name of an enumeration, and its body, which is all indented and empty lines that follow. */
const ENUM_CLASS =
  /^class (\w+)\(\s*(?:(?:enum\.)?StrEnum|str\s*,\s*(?:enum\.)?Enum)\s*\):.*\n((?:(?:[ \t].*)?\n|[ \t].*$)*)/gm;
const ENUM_MEMBER = /^[ \t]{1,40}\w+[ \t]*=[ \t]*(.*)$/gm;

/** The texts of each enumeration in a file, by the name of its class. */
export type Enums = ReadonlyMap<string, readonly string[]>;

/**
 * Finds the enumerations whose members are all texts. Such a class begins with `class Level(StrEnum):` or
 * `class Level(str, Enum):`, and each member is a line like this:
 *
 *     DEBUG = "debug"
 */
export function findEnums(code: string): Enums {
  if (!code.includes("Enum")) return new Map();
  return new Map(
    findMatches(code, ENUM_CLASS).flatMap(([, name = "", body = ""]) => {
      const members = findMatches(body, ENUM_MEMBER);
      const texts = parseStrings(members.map(([, value = ""]) => value.replace(/[ \t]#.*$/, "")));
      return texts === undefined || texts.length === 0 ? [] : [[name, texts] as const];
    }),
  );
}

const NO_FIELDS: ReadonlySet<string> = new Set();

/**
 * Finds the fields whose text a validator may change before pydantic checks its type. The type then says nothing about the
 * variable. `*` stands for all fields.
 *
 *     @field_validator("hosts", mode="before")
 */
export function findFieldsWithEarlyValidator(classBody: string): ReadonlySet<string> {
  // Most classes have no validator, and a file may have thousands of classes.
  if (!classBody.includes("validator(")) return NO_FIELDS;
  const decorators = findMatches(classBody, /@(?:\w+\.)?(?:field_validator|validator)\(([^()]{0,1000})\)/g);
  return new Set(
    decorators.flatMap(([, argumentText = ""]) => {
      const isEarly = /\bmode\s*=\s*["'](?:before|plain|wrap)["']|\bpre\s*=\s*True/.test(argumentText);
      return isEarly ? splitList(argumentText).flatMap((argument) => parseString(argument) ?? []) : [];
    }),
  );
}

/** The limit on the length of a type. A type contains other types, so the parts of a long type would be parsed several times. */
const MAX_TYPE_LENGTH = 500;
/** How many wrappers around a type, such as `Optional[…]`, are removed. */
const MAX_WRAPPERS = 3;

/**
 * Returns the format of a field; undefined if the type states nothing that a contract can state, or if the field has several types.
 *
 * @param name the name of the variable, since the variables that end in `_PORT` have a format of their own
 * @param enums the enumerations of the file
 */
export function translatePydanticField(
  { type, value = "" }: FieldDeclaration,
  name: string,
  enums: Enums,
): FormatEntry | undefined {
  if (type.length > MAX_TYPE_LENGTH) return undefined;
  const { annotation, metadata } = unwrapType(type) ?? {};
  if (annotation === undefined) return undefined;
  const fieldText = `${value}${metadata}`;
  // Such a validator may accept texts that are not of the type.
  if (/\b(?:Before|Plain|Wrap)Validator\b/.test(fieldText)) return undefined;
  const [, baseType = "", bracket = ""] = /^(?:\w+\.)*(\w+)\s*([[(]?)/.exec(annotation) ?? [];
  const argumentText = bracket === "" ? "" : parseBracketContent(annotation, annotation.indexOf(bracket));
  // `Literal["debug", "info"]`
  if (baseType === "Literal") return createEnumFormat(parseStrings(splitList(argumentText)));
  // `conint(ge=1)` has its constraints in a call, other types have them in `Field()`.
  const constraints = `${fieldText} ${bracket === "(" ? argumentText : ""}`;
  return translateType(baseType, constraints, name) ?? createEnumFormat(enums.get(baseType));
}

/**
 * Returns the format of a type of Python or pydantic; undefined for other types.
 *
 * @param constraints text that contains the constraints, such as `Field(ge=1)`
 */
function translateType(type: string, constraints: string, name: string): FormatEntry | undefined {
  const integerRange = findOwnEntry(INTEGER_TYPES, type);
  if (integerRange !== undefined) {
    return createNumberFormat("integer", { ...integerRange, ...parseRange(constraints, "integer") }, name);
  }
  const floatRange = findOwnEntry(FLOAT_TYPES, type);
  if (floatRange !== undefined) {
    return createNumberFormat("number", { ...floatRange, ...parseRange(constraints, "number") }, name);
  }
  const schemes = findOwnEntry(URL_SCHEMES, type);
  if (schemes !== undefined) return { type: "url", schemes };
  switch (type) {
    case "bool":
    case "StrictBool":
      return "boolean";
    case "AnyUrl":
      return "url";
    case "EmailStr":
      return "email";
    case "str":
    case "SecretStr":
    case "constr":
      return createTextFormat(undefined, parseNumber(/\bmin_length\s*=\s*(\d+)/.exec(constraints)?.[1]));
    default:
      return undefined;
  }
}

/**
 * Removes what is around the type of a value: quotes, `Optional[…]`, `… | None` and `Annotated[…]`. For
 * `Annotated[int, Field(ge=1)] | None` the annotation is `int`, and the metadata is ` Field(ge=1)`.
 *
 * @returns undefined if a value may have several types
 */
function unwrapType(type: string): { readonly annotation: string; readonly metadata: string } | undefined {
  let annotation = parseString(type.trim()) ?? type.trim();
  let metadata = "";
  for (let wrappers = 0; wrappers < MAX_WRAPPERS; wrappers++) {
    const [wrapperText = "", wrapper] = /^(?:\w+\.)*(Annotated|Optional|Union|Final)\s*(?=\[)/.exec(annotation) ?? [];
    const parts =
      wrapper === undefined
        ? splitList(annotation, "|")
        : splitList(parseBracketContent(annotation, wrapperText.length));
    const isAnnotated = wrapper === "Annotated";
    if (isAnnotated) metadata += ` ${parts.slice(1).join(" ")}`;
    const types = isAnnotated ? parts.slice(0, 1) : parts.filter((part) => part !== "None");
    const [innerType = ""] = types;
    if (types.length !== 1) return undefined;
    if (wrapper === undefined && innerType === annotation) break;
    annotation = innerType;
  }
  return { annotation, metadata };
}

/** Returns undefined for a key that the table only inherits, such as `constructor`. */
function findOwnEntry<Value>(table: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/**
 * Parses the constraints `ge` (greater or equal) and `le`. The bounds of a contract are inclusive, so the exclusive `gt` and `lt`
 * are translated for integers only: `gt=0` becomes the minimum 1.
 */
function parseRange(constraints: string, kind: "integer" | "number"): NumberRange {
  const parseBound = (keyword: string): number | undefined =>
    parseNumber(new RegExp(String.raw`\b${keyword}\s*=\s*(-?\d[\d_.]{0,20})`).exec(constraints)?.[1]);
  const greaterThan = kind === "integer" ? parseBound("gt") : undefined;
  const lessThan = kind === "integer" ? parseBound("lt") : undefined;
  const minimum = parseBound("ge") ?? (greaterThan === undefined ? undefined : greaterThan + 1);
  const maximum = parseBound("le") ?? (lessThan === undefined ? undefined : lessThan - 1);
  // An unknown bound is left out, so that the caller keeps the bound that the name of the type states.
  return { ...(minimum === undefined ? {} : { minimum }), ...(maximum === undefined ? {} : { maximum }) };
}
