#!/bin/sh
# Installs what the tests here need: the npm packages that package.json pins into e2e/node_modules, and into e2e/.cache
# the Playwright driver and the name of a Chromium. Safe to run again at any time; when everything is there it takes a
# fraction of a second. playwright-core must be exactly the version that playwright-go in go.mod needs.
#
#   BOOKHOOK_E2E_BROWSER   path of the Chromium or Chrome to use, instead of the first one found
set -eu

cd "$(dirname "$0")"
cache=$PWD/.cache
mkdir -p "$cache"
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
	if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
		if debian_root; then apt_install nodejs npm ca-certificates; fi
	fi
	command -v node >/dev/null || fail "node is missing; install Node.js 20.19 or newer"
	command -v npm >/dev/null || fail "npm is missing; it comes with Node.js"
}

# The copy of the lock file comes last, so that an interrupted run leaves nothing that looks complete.
install_packages() {
	cmp -s package-lock.json "$cache/package-lock.json" && [ -d node_modules ] && return
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null ||
		fail "npm ci did not work (is there a network, and is $(node --version) 20.19 or newer?)"
	cp package-lock.json "$cache/package-lock.json"
}

works() {
	[ -n "$1" ] && "$1" --version >/dev/null 2>&1
}

# find_browser prints the path of an installed Chromium that starts. The one that has no windows takes half the time.
find_browser() {
	if [ -n "${BOOKHOOK_E2E_BROWSER:-}" ]; then
		works "$BOOKHOOK_E2E_BROWSER" || fail "BOOKHOOK_E2E_BROWSER=$BOOKHOOK_E2E_BROWSER does not start"
		echo "$BOOKHOOK_E2E_BROWSER"
		return
	fi
	for name in chromium-headless-shell chromium chromium-browser google-chrome google-chrome-stable \
		"/Applications/Chromium.app/Contents/MacOS/Chromium" \
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
		path=$(command -v "$name" || true)
		if works "$path"; then
			echo "$path"
			return
		fi
	done
}

need_node
install_packages

# The driver is a folder with "node" beside "package". The link is renewed, because node moves when it is upgraded.
driver=$cache/driver
rm -rf "$driver"
mkdir "$driver"
ln -s "$(command -v node)" "$driver/node"
ln -s ../../node_modules/playwright-core "$driver/package"

browser=$(find_browser)
if [ -z "$browser" ] && debian_root; then
	apt_install chromium-headless-shell fonts-liberation || apt_install chromium fonts-liberation ||
		true # Ubuntu's package is a stub: then Playwright's own browser serves
	browser=$(find_browser)
fi
if [ -z "$browser" ]; then
	echo "e2e/setup.sh: no Chromium found, fetching Playwright's own"
	"$driver/node" "$driver/package/cli.js" install --only-shell chromium </dev/null ||
		fail "no Chromium: install chromium or Google Chrome, or name one in BOOKHOOK_E2E_BROWSER"
	browser=bundled # the driver knows where it keeps its own
fi

# Last: it says that the rest is there.
printf '%s\n' "$browser" >"$cache/browser"
