#!/bin/sh
# Puts what the browser tests need into e2e/.cache: the Playwright driver, axe-core, and the name of a Chromium.
# Safe to run again at any time; when everything is there it takes a fraction of a second.
#
#   BOOKHOOK_E2E_BROWSER   path of the Chromium or Chrome to use, instead of the first one found
set -eu

# The driver must be exactly the version that playwright-go in go.mod speaks to. To move either version:
# npm view NAME@VERSION dist.integrity
playwright_version=1.60.0
playwright_integrity=sha512-9bW6zvX/m0lEbgTKJ6YppOKx8H3VOPBMOCFh2irXFOT4BbHgrx5hPjwJYLT40Lu+4qtD36qKc/Hn56StUW57IA==
axe_version=4.14.1
axe_integrity=sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==

cd "$(dirname "$0")"
cache=$PWD/.cache
mkdir -p "$cache"
trap 'rm -rf "$cache"/tmp.*' EXIT
echo '*' >"$cache/.gitignore"

fail() {
	echo "e2e/setup.sh: $*" >&2
	exit 1
}

# On a bare Debian machine we may install what is missing; on anybody's own machine we only say what is missing.
debian_root() {
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null
}

apt_install() {
	echo "e2e/setup.sh: installing $*"
	DEBIAN_FRONTEND=noninteractive
	export DEBIAN_FRONTEND
	apt-get update -qq </dev/null && apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null
}

need_node() {
	if command -v node >/dev/null && command -v npm >/dev/null; then return; fi
	if debian_root; then apt_install nodejs npm ca-certificates; fi
	command -v node >/dev/null || fail "node is missing; install Node.js 18 or newer"
	command -v npm >/dev/null || fail "npm is missing; it comes with Node.js"
}

# fetch NAME VERSION INTEGRITY: the npm package, checked, unpacked to .cache/NAME-VERSION/package.
# The folder gets its name last, so that an interrupted run leaves nothing that looks complete.
fetch() {
	dir=$cache/$1-$2
	[ -d "$dir" ] && return
	need_node
	tmp=$(mktemp -d "$cache/tmp.XXXXXX")
	(cd "$tmp" && npm pack --silent "$1@$2" </dev/null >/dev/null) || fail "npm pack $1@$2 did not work (is there a network?)"
	got=sha512-$(node -e 'const c = require("crypto"), f = require("fs")
		console.log(c.createHash("sha512").update(f.readFileSync(process.argv[1])).digest("base64"))' "$tmp"/*.tgz)
	[ "$got" = "$3" ] || fail "$1@$2 is not the package that was pinned: want $3, got $got"
	tar -xzf "$tmp"/*.tgz -C "$tmp"
	rm "$tmp"/*.tgz
	mv "$tmp" "$dir"
}

works() {
	[ -n "$1" ] && "$1" --version >/dev/null 2>&1
}

# find_browser prints the path of an installed Chromium that starts.
find_browser() {
	if [ -n "${BOOKHOOK_E2E_BROWSER:-}" ]; then
		works "$BOOKHOOK_E2E_BROWSER" || fail "BOOKHOOK_E2E_BROWSER=$BOOKHOOK_E2E_BROWSER does not start"
		echo "$BOOKHOOK_E2E_BROWSER"
		return
	fi
	for name in chromium chromium-browser google-chrome google-chrome-stable \
		"/Applications/Chromium.app/Contents/MacOS/Chromium" \
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
		path=$(command -v "$name" || true)
		if works "$path"; then
			echo "$path"
			return
		fi
	done
}

fetch playwright-core $playwright_version "$playwright_integrity"
fetch axe-core $axe_version "$axe_integrity"

# The driver is a folder with "node" beside "package". The link is renewed, because node moves when it is upgraded.
need_node
driver=$cache/playwright-core-$playwright_version
ln -sf "$(command -v node)" "$driver/node"

browser=$(find_browser)
if [ -z "$browser" ] && debian_root; then
	apt_install chromium fonts-liberation || true # Ubuntu's package is a stub: then Playwright's own browser serves
	browser=$(find_browser)
fi
if [ -z "$browser" ]; then
	echo "e2e/setup.sh: no Chromium found, fetching Playwright's own"
	"$driver/node" "$driver/package/cli.js" install --only-shell chromium </dev/null ||
		fail "no Chromium: install chromium or Google Chrome, or name one in BOOKHOOK_E2E_BROWSER"
	browser=bundled # the driver knows where it keeps its own
fi

# What the tests open: these three names, whatever the versions. "browser" last: it says that the rest is there.
ln -sfn "playwright-core-$playwright_version" "$cache/driver"
ln -sfn "axe-core-$axe_version/package/axe.min.js" "$cache/axe.js"
printf '%s\n' "$browser" >"$cache/browser"
