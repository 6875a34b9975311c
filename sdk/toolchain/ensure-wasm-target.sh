#!/bin/sh
# Makes wasm32-unknown-unknown available to the active Rust toolchain, or the target that is named: wasm32-wasip2.
# usage: ensure-wasm-target.sh [TARGET]
#
# rustup supplies it on most machines. Where rustup is absent or cannot download, the standard library is built once from
# Debian's package of its source, of exactly this compiler's version, into a private sysroot; for wasm32-wasip2 with the C
# library of Debian's package wasi-libc.
#
# The last line on stdout is what RUSTFLAGS need for guests: empty, or `--sysroot <folder>`. All else goes to stderr.
#
#   WINDFLOW_WASM_NO_RUSTUP=1       take the second way, even where rustup has the target
#   WINDFLOW_WASM_SYSROOT=<folder>  where private sysroots are kept; default: target/wasm-sysroot of the repository
#   WINDFLOW_WASM_DEBIAN_SUITES     the Debian suites that are searched for the source
set -eu

target=${1:-wasm32-unknown-unknown}
suites=${WINDFLOW_WASM_DEBIAN_SUITES:-trixie-backports forky sid}
repository=$(cd "$(dirname "$0")/../.." && pwd)
keep=${WINDFLOW_WASM_SYSROOT:-$repository/target/wasm-sysroot}

say() { echo "ensure-wasm-target: $*" >&2; }

give_up() {
    say "$1"
    say "the plugins cannot be built without the Rust target $target. One of these supplies it:"
    say "  rustup target add $target"
    say "  the distribution's package: libstd-rust-dev-wasm32 (Debian, Ubuntu), rust-std-static-$target (Fedora),"
    say "  rust-wasm (Arch, Alpine), for a cargo and rustc that are the distribution's too"
    exit 1
}

has_target() {
    for library in "$1/lib/rustlib/$target/lib"/libstd-*.rlib; do
        [ -e "$library" ] && return 0
    done
    return 1
}

command -v rustc >/dev/null || give_up "there is no rustc: install Rust, see https://rustup.rs"
about=$(rustc -vV)
version=$(printf '%s\n' "$about" | sed -n 's/^release: //p')
hash=$(printf '%s\n' "$about" | sed -n 's/^commit-hash: //p')

if [ -z "${WINDFLOW_WASM_NO_RUSTUP:-}" ]; then
    toolchain=$(rustc --print sysroot)
    if has_target "$toolchain"; then echo; exit 0; fi
    if command -v rustup >/dev/null; then
        say "asking rustup for $target"
        # A blocked network often hangs instead of failing.
        limit=; command -v timeout >/dev/null && limit="timeout 180"
        if $limit rustup target add "$target" >&2 && has_target "$toolchain"; then echo; exit 0; fi
    fi
fi

# Libraries fit the very compiler that built them only, so its version is part of the name.
mkdir -p "$keep"
sysroot=$(cd "$keep" && pwd)/$version-$(printf %.9s "$hash")
[ "$target" = wasm32-unknown-unknown ] || sysroot=$sysroot-$target
if has_target "$sysroot"; then echo "--sysroot $sysroot"; exit 0; fi

say "rustup does not supply $target: building the standard library from Debian's source (about a minute)"
for tool in apt-get apt-cache dpkg-deb; do
    command -v $tool >/dev/null || give_up "there is no $tool to fetch Debian's source of the standard library with"
done

work=$(mktemp -d "$sysroot.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# The machine's own mirror, with lists of its own: neither root nor changes to its configuration are needed.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 '/debian/*$') ||
    give_up "apt knows no Debian mirror (on other systems use rustup)"
keys=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e "$keys" ] || give_up "Debian's keys are missing: install debian-archive-keyring"
mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
for suite in $suites; do echo "deb [signed-by=$keys] $mirror $suite main"; done >"$work/sources.list"
apt() {
    program=$1; shift
    "$program" -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root \
        -o Acquire::Languages=none -qq "$@"
}
# One suite that is gone must not hide the others.
apt apt-get update >&2 || say "not every one of these suites could be read: $suites"
package=$(apt apt-cache madison rust-src | awk -v wanted="$version+" 'index($3, wanted) == 1 { print $3; exit }')
[ -n "$package" ] || give_up "Debian has no rust-src $version in any of these suites: $suites"
(cd "$work" && apt apt-get download "rust-src=$package" >&2) || give_up "rust-src $package cannot be downloaded"
dpkg-deb --fsys-tarfile "$work"/rust-src_*.deb | tar -x -C "$work" --wildcards './usr/src/rustc-*/library/*'
library=$(echo "$work"/usr/src/rustc-*/library)
if [ "$target" = wasm32-wasip2 ]; then
    (cd "$work" && apt apt-get download wasi-libc >&2) || give_up "wasi-libc cannot be downloaded"
    dpkg-deb --fsys-tarfile "$work"/wasi-libc_*.deb | tar -x -C "$work" "./usr/lib/$target"
fi

# An empty crate whose dependency, the standard library, cargo then builds. The source need not be installed in the
# toolchain, and a stable compiler may do this, only with the two variables that cargo's own tests use.
mkdir -p "$work/empty/src"
: >"$work/empty/src/lib.rs"
printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n' >"$work/empty/Cargo.toml"
(
    unset CARGO_BUILD_TARGET RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER
    # Bitcode, for guests are linked with LTO; paths as in rustup's library, or guests would differ from machine to machine.
    # The encoded variable allows spaces in paths.
    CARGO_ENCODED_RUSTFLAGS=$(printf '%s\037%s\037%s' -Cembed-bitcode=yes -Ccodegen-units=1 \
        "--remap-path-prefix=$library=/rustc/$hash/library")
    export CARGO_ENCODED_RUSTFLAGS RUSTC_BOOTSTRAP=1
    export __CARGO_TESTS_ONLY_SRC_ROOT="$library" CARGO_TARGET_DIR="$work/target"
    cd "$work/empty" && cargo build --quiet --release -Z build-std=std,panic_abort --target "$target" >&2
) || give_up "the standard library $version cannot be built"

finished=$work/sysroot
libraries=$finished/lib/rustlib/$target/lib
mkdir -p "$libraries"
cp "$work/target/$target/release/deps"/lib*.rlib "$libraries"
rm -f "$libraries"/libempty-*
if [ "$target" = wasm32-wasip2 ]; then
    mkdir "$libraries/self-contained"
    for part in crt1-command.o crt1-reactor.o libc.a; do
        cp "$work/usr/lib/$target/$part" "$libraries/self-contained" || give_up "Debian's wasi-libc has no $part for $target"
    done
fi
# In one step, so that nobody sees half of it; whoever was faster has made the same.
mv "$finished" "$sysroot" 2>/dev/null || has_target "$sysroot" || give_up "$sysroot cannot be written"
echo "--sysroot $sysroot"
