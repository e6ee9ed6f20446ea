// The pinned versions of all that is compiled into the executables. `node scripts/parts.mjs` compares them with the registries and with
// known vulnerabilities (docs/standalone.md).

/**
 * By name: where it comes from (a package URL's type and the package's name), its version there, and the SHA-256 of the package.
 * `holds` is the library inside of the package, with its own version, its folder there, and its licence: the expression of SPDX,
 * and the file in that folder, of which runtime/build/licences has a copy. `stated` is where its sources state their version: a file
 * in that folder, and a pattern whose groups are its numbers; without it the version is the package's. `osv` is how OSV names the
 * library besides the package. library.mjs compares all of it with the sources.
 */
export const VERSIONS = {
  quickjs: {
    from: "cargo",
    name: "rquickjs-sys",
    version: "0.14.0",
    checksum: "cee271d0eeba64f0915b846cb7ae02e16faf3dfdffdca91731101d9d30fe3423",
    holds: {
      name: "quickjs-ng",
      version: "0.16.2",
      folder: "quickjs",
      license: "MIT",
      text: "LICENSE",
      copy: "quickjs.txt",
      stated: ["quickjs.h", numbersOf("QJS_VERSION")],
      osv: git("quickjs-ng/quickjs", "v0.16.2"),
    },
  },
  awsLc: {
    from: "cargo",
    name: "aws-lc-sys",
    version: "0.47.0",
    checksum: "8bfbe32ac36b3c428696ce315464181bc4029d689fd58e3f2a4e58c252242f52",
    holds: {
      name: "AWS-LC",
      version: "5.12.0",
      folder: "aws-lc",
      // The crate's.
      license:
        "ISC AND (Apache-2.0 OR ISC) AND Apache-2.0 AND MIT AND BSD-3-Clause AND (Apache-2.0 OR ISC OR MIT) AND (Apache-2.0 OR ISC OR MIT-0)",
      text: "LICENSE",
      copy: "aws-lc.txt",
      stated: ["include/openssl/base.h", /AWSLC_VERSION_NUMBER_STRING "([\d.]+)"/],
      osv: git("aws/aws-lc", "v5.12.0"),
    },
  },
  ada: {
    from: "cargo",
    name: "ada-url",
    version: "4.0.0",
    checksum: "c153db7a5a9f8a92a313dff0fecbbb28198542fc98bf024b961baf9896408347",
    holds: {
      name: "ada",
      version: "4.0.0",
      folder: "",
      license: "MIT",
      text: "LICENSE-MIT",
      copy: "ada.txt",
      stated: ["deps/ada.h", /ADA_VERSION "([\d.]+)"/],
      osv: git("ada-url/ada", "v4.0.0"),
    },
  },
  roots: {
    from: "cargo",
    name: "webpki-root-certs",
    version: "1.0.11",
    checksum: "e49d0e65abc00c142e8f9428da991da9f1a250c39be97459901eb12b9b49f62a",
    holds: {
      name: "Mozilla's certificate authorities",
      version: "1.0.11",
      folder: "",
      license: "CDLA-Permissive-2.0",
      text: "LICENSE",
      copy: "roots.txt",
    },
  },
  zlib: {
    from: "cargo",
    name: "libz-sys",
    version: "1.1.33",
    checksum: "fee3f59f4321dab0c78d828942e7aa09d0bd8ad6e78a501977e6bf3d02938045",
    holds: {
      name: "zlib",
      version: "1.4",
      folder: "src/zlib",
      license: "Zlib",
      text: "LICENSE",
      copy: "zlib.txt",
      stated: ["zlib.h", /ZLIB_VERSION "([\d.]+)"/],
      osv: git("madler/zlib", "v1.4"),
    },
  },
  llhttp: {
    from: "pypi",
    name: "aiohttp",
    version: "3.14.5",
    checksum: "5558a7f5a05af9ecf744af91e5baefc436f93c9333e656c27ec253f9a6bbe178",
    holds: {
      name: "llhttp",
      version: "9.4.2",
      folder: "vendor/llhttp",
      license: "MIT",
      text: "LICENSE",
      copy: "llhttp.txt",
      stated: ["build/llhttp.h", numbersOf("LLHTTP_VERSION")],
      osv: git("nodejs/llhttp", "v9.4.2"),
    },
  },
};

/** The compiler of the executables for Linux, with the SHA-256 of its wheels by Node's name of the machine's processor. */
export const ZIG = {
  from: "pypi",
  name: "ziglang",
  version: "0.17.1",
  checksums: {
    x64: "ea6cc5d87b033cf0aedfbc8f9549a908cae6c50ac31f1698188fa48a74524b54",
    arm64: "b7c5f02fccd40f89b999ee16a1f5ddced56e6182370f8affe494bcf8a28cf07e",
  },
  /** Its libraries that are part of the executables. */
  holds: [
    {
      name: "musl",
      version: "1.2.5",
      folder: "ziglang/lib/libc/musl",
      license: "MIT",
      text: "COPYRIGHT",
      copy: "musl.txt",
      stated: ["src/internal/version.h", /VERSION "([\d.]+)"/],
      // Its own repository is not known to OSV; this release of Alpine has the same version.
      osv: { ecosystem: "Alpine:v3.22", name: "musl", version: "1.2.5-r0" },
    },
    {
      name: "libc++",
      version: "22.1.8",
      folder: "ziglang/lib/libcxx",
      license: "Apache-2.0 WITH LLVM-exception",
      text: "LICENSE.TXT",
      copy: "libcxx.txt",
      stated: ["include/__config", /_LIBCPP_VERSION (\d\d)(\d\d)(\d\d)/],
      osv: git("llvm/llvm-project", "llvmorg-22.1.8"),
    },
    {
      name: "compiler-rt of zig",
      version: "0.17.1",
      folder: "ziglang",
      license: "MIT",
      text: "LICENSE",
      copy: "zig.txt",
    },
  ],
};

/** The runtime of the executables for macOS and Windows, and its packages with their checksums, in the form of package-lock.json. */
export const BUN = {
  from: "npm",
  name: "bun",
  version: "1.4.5",
  osv: git("oven-sh/bun", "bun-v1.4.5"),
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

/** Known vulnerabilities that do not concern the executables, by OSV's name or another name of it, with the reason. */
export const NOT_CONCERNING = {
  "CVE-2025-26519": "iconv() of musl is not part of the executables, and zig's copy of it is repaired",
};

/** @returns what the executables for Linux hold: for each library the package, the SHA-256 of that, and `holds` */
export function libraries() {
  return [
    ...Object.values(VERSIONS).map(({ holds, ...origin }) => ({ origin, holds })),
    // A release is built on x64.
    ...ZIG.holds.map((holds) => ({ origin: { ...ZIG, checksum: ZIG.checksums.x64 }, holds })),
  ];
}

/** @returns a pattern for the three numbers of a version that a C header defines one after another */
function numbersOf(name) {
  return new RegExp(["MAJOR", "MINOR", "PATCH"].map((part) => `${name}_${part} (\\d+)`).join("\\s+#define "));
}

/** @returns a version of a repository on GitHub for OSV, which knows it by its tag */
function git(repository, version) {
  return { ecosystem: "GIT", name: `https://github.com/${repository}.git`, version };
}
