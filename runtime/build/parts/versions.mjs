// The pinned versions of all that is compiled into the executables, with the checksums of the packages that the sources come from.
// The build fetches exactly these packages. `node scripts/parts.mjs` compares them with the newest versions in the registries and
// with known vulnerabilities (docs/standalone.md). runtime/README.md ("Upgrading a part") has the steps of an upgrade.

/**
 * A library that is compiled into the executables for Linux. library.mjs compares its version and its licence with its sources.
 *
 * @typedef {object} Library
 * @property {string} name the name of the library
 * @property {string} version the version of the library, which may differ from that of the package around it
 * @property {string} folder the library's folder in the package
 * @property {string} license the licence, as an SPDX expression
 * @property {string} licenceFile the file with the licence, in the library's folder
 * @property {string} licenceCopy the file in runtime/build/licences with the same text
 * @property {VersionSource} [versionSource] if it is missing, the library has the version of its package
 * @property {OsvPackage} [osvPackage] under which OSV lists vulnerabilities of the library, besides those of the package
 */

/**
 * The place at which the sources of a library state their version. Example for the line `#define ZLIB_VERSION "1.4"`:
 * `{ file: "zlib.h", pattern: /ZLIB_VERSION "([\d.]+)"/ }`
 *
 * @typedef {object} VersionSource
 * @property {string} file in the library's folder
 * @property {RegExp} pattern with one group for the whole version, or one for each of its numbers
 */

/**
 * A package in OSV, the database of known vulnerabilities.
 *
 * @typedef {{ ecosystem: string, name: string, version: string }} OsvPackage
 */

/**
 * The packages with the sources of the libraries. Each has its `registry` (the type in a package URL), its `name` and `version` there,
 * the SHA-256 of the package (`checksum`), and the {@link Library} in it. .github/renovate.json finds the first three by a pattern.
 */
export const PACKAGES = {
  quickjs: {
    registry: "cargo",
    name: "rquickjs-sys",
    version: "0.14.0",
    checksum: "cee271d0eeba64f0915b846cb7ae02e16faf3dfdffdca91731101d9d30fe3423",
    library: {
      name: "quickjs-ng",
      version: "0.16.2",
      folder: "quickjs",
      license: "MIT",
      licenceFile: "LICENSE",
      licenceCopy: "quickjs.txt",
      versionSource: { file: "quickjs.h", pattern: createVersionPattern("QJS_VERSION") },
      osvPackage: createOsvPackage("quickjs-ng/quickjs", "v0.16.2"),
    },
  },
  awsLc: {
    registry: "cargo",
    name: "aws-lc-sys",
    version: "0.47.0",
    checksum: "8bfbe32ac36b3c428696ce315464181bc4029d689fd58e3f2a4e58c252242f52",
    library: {
      name: "AWS-LC",
      version: "5.12.0",
      folder: "aws-lc",
      // The crate states this expression.
      license:
        "ISC AND (Apache-2.0 OR ISC) AND Apache-2.0 AND MIT AND BSD-3-Clause AND (Apache-2.0 OR ISC OR MIT) AND (Apache-2.0 OR ISC OR MIT-0)",
      licenceFile: "LICENSE",
      licenceCopy: "aws-lc.txt",
      versionSource: { file: "include/openssl/base.h", pattern: /AWSLC_VERSION_NUMBER_STRING "([\d.]+)"/ },
      osvPackage: createOsvPackage("aws/aws-lc", "v5.12.0"),
    },
  },
  ada: {
    registry: "cargo",
    name: "ada-url",
    version: "4.0.0",
    checksum: "c153db7a5a9f8a92a313dff0fecbbb28198542fc98bf024b961baf9896408347",
    library: {
      name: "ada",
      version: "4.0.0",
      folder: "",
      license: "MIT",
      licenceFile: "LICENSE-MIT",
      licenceCopy: "ada.txt",
      versionSource: { file: "deps/ada.h", pattern: /ADA_VERSION "([\d.]+)"/ },
      osvPackage: createOsvPackage("ada-url/ada", "v4.0.0"),
    },
  },
  roots: {
    registry: "cargo",
    name: "webpki-root-certs",
    version: "1.0.11",
    checksum: "e49d0e65abc00c142e8f9428da991da9f1a250c39be97459901eb12b9b49f62a",
    library: {
      name: "Mozilla's certificate authorities",
      version: "1.0.11",
      folder: "",
      license: "CDLA-Permissive-2.0",
      licenceFile: "LICENSE",
      licenceCopy: "roots.txt",
    },
  },
  zlib: {
    registry: "cargo",
    name: "libz-sys",
    version: "1.1.33",
    checksum: "fee3f59f4321dab0c78d828942e7aa09d0bd8ad6e78a501977e6bf3d02938045",
    library: {
      name: "zlib",
      version: "1.4",
      folder: "src/zlib",
      license: "Zlib",
      licenceFile: "LICENSE",
      licenceCopy: "zlib.txt",
      versionSource: { file: "zlib.h", pattern: /ZLIB_VERSION "([\d.]+)"/ },
      osvPackage: createOsvPackage("madler/zlib", "v1.4"),
    },
  },
  llhttp: {
    registry: "pypi",
    name: "aiohttp",
    version: "3.14.5",
    checksum: "5558a7f5a05af9ecf744af91e5baefc436f93c9333e656c27ec253f9a6bbe178",
    library: {
      name: "llhttp",
      version: "9.4.2",
      folder: "vendor/llhttp",
      license: "MIT",
      licenceFile: "LICENSE",
      licenceCopy: "llhttp.txt",
      versionSource: { file: "build/llhttp.h", pattern: createVersionPattern("LLHTTP_VERSION") },
      osvPackage: createOsvPackage("nodejs/llhttp", "v9.4.2"),
    },
  },
};

/** The compiler of the executables for Linux. `checksums` has the SHA-256 of the wheel for each processor of a build machine. */
export const ZIG = {
  registry: "pypi",
  name: "ziglang",
  version: "0.17.1",
  checksums: {
    x64: "ea6cc5d87b033cf0aedfbc8f9549a908cae6c50ac31f1698188fa48a74524b54",
    arm64: "b7c5f02fccd40f89b999ee16a1f5ddced56e6182370f8affe494bcf8a28cf07e",
  },
  /** The libraries in the package that are part of the executables, each a {@link Library}. */
  libraries: [
    {
      name: "musl",
      version: "1.2.5",
      folder: "ziglang/lib/libc/musl",
      license: "MIT",
      licenceFile: "COPYRIGHT",
      licenceCopy: "musl.txt",
      versionSource: { file: "src/internal/version.h", pattern: /VERSION "([\d.]+)"/ },
      // OSV does not know musl's own repository. This release of Alpine Linux has the same version of musl.
      osvPackage: { ecosystem: "Alpine:v3.22", name: "musl", version: "1.2.5-r0" },
    },
    {
      name: "libc++",
      version: "22.1.8",
      folder: "ziglang/lib/libcxx",
      license: "Apache-2.0 WITH LLVM-exception",
      licenceFile: "LICENSE.TXT",
      licenceCopy: "libcxx.txt",
      versionSource: { file: "include/__config", pattern: /_LIBCPP_VERSION (\d\d)(\d\d)(\d\d)/ },
      osvPackage: createOsvPackage("llvm/llvm-project", "llvmorg-22.1.8"),
    },
    {
      name: "compiler-rt of zig",
      version: "0.17.1",
      folder: "ziglang",
      license: "MIT",
      licenceFile: "LICENSE",
      licenceCopy: "zig.txt",
    },
  ],
};

/**
 * The runtime of the executables for macOS and Windows. `packages` has the npm package for each platform, with its checksum in the
 * form of package-lock.json.
 */
export const BUN = {
  registry: "npm",
  name: "bun",
  version: "1.4.5",
  osvPackage: createOsvPackage("oven-sh/bun", "bun-v1.4.5"),
  packages: {
    "@oven/bun-linux-x64":
      "sha512-IWX9BELoGHAUtMonkeSaNaZwXzRk+oDw6Mk+HBFXd3KHYIBNBsIGRupMZPcgNoDbJpLu6gAJjIoIVPZtt1aJ1g==",
    "@oven/bun-linux-aarch64":
      "sha512-4BXmsSKnjOrlGWqZV4x/oWa7AVoR+B6lCXddMzOAXBIm3t50eslg9wb66gmtW1AamEQ1l1CDvmmruysEhqOWMg==",
    "@oven/bun-darwin-x64":
      "sha512-qkLPMGHZM9NI6CeHTWwVezzmlo6cC4Ta7yUAjYIWXS366qQcOlcp75t2uZyiuVRBMPS0h9qE0tCcvCHGaFqjJg==",
    "@oven/bun-darwin-aarch64":
      "sha512-4MIFXHmctH2EhAxLXm2/qxNtv17dFtLJylvaOCsrgq6KSqHTs6eW5YSrJjRbJxYUJaR901fsN8JfZOa+CsWpWQ==",
    "@oven/bun-windows-x64":
      "sha512-FNvply651vcE/GHgNWz6mZvhmkwBuu8Hw54oNzA+CQog+HW+542rXQmZqNHRkFxazD9L3xi+iTtvO3engAgJfw==",
  },
};

/** Known vulnerabilities that do not concern the executables: the reason, by the vulnerability's name in OSV or in another database. */
export const IRRELEVANT_VULNERABILITIES = {
  "CVE-2025-26519": "iconv() of musl is not part of the executables, and zig's copy of it is repaired",
};

/**
 * Lists the libraries in the executables for Linux.
 *
 * @returns for each library, the package that its sources come from, with that package's checksum
 */
export function listLinuxLibraries() {
  return [
    ...Object.values(PACKAGES).map(({ library, ...sourcePackage }) => ({ sourcePackage, library })),
    // A release is built on x64.
    ...ZIG.libraries.map((library) => ({ sourcePackage: { ...ZIG, checksum: ZIG.checksums.x64 }, library })),
  ];
}

/**
 * Returns a pattern for a version that a C header defines as three numbers, one after another. Example for `QJS_VERSION`:
 *
 *     #define QJS_VERSION_MAJOR 0
 *     #define QJS_VERSION_MINOR 16
 *     #define QJS_VERSION_PATCH 2
 */
function createVersionPattern(prefix) {
  return new RegExp(["MAJOR", "MINOR", "PATCH"].map((part) => `${prefix}_${part} (\\d+)`).join("\\s+#define "));
}

/** Returns the name that OSV has for a tag of a repository on GitHub. */
function createOsvPackage(repository, tag) {
  return { ecosystem: "GIT", name: `https://github.com/${repository}.git`, version: tag };
}
