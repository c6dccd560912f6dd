package e2e

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
)

// patience is how long anything may take before the test gives up. It is generous: machines that run tests are busy.
const patience = 20 * time.Second

// What TestMain makes and every test uses.
var (
	binary    string // the bookhook binary, built from the working tree
	axeSource string // axe.min.js, once there is a browser
)

// chromium is one browser for all tests, started when the first one needs it; every test has contexts of its own in it.
var chromium = sync.OnceValues(startBrowser)

// newContext makes a browser context.
func newContext(t testing.TB, o pageOptions) playwright.BrowserContext {
	t.Helper()
	browser, err := chromium()
	if err != nil {
		t.Fatalf("%v\nrun: make setup", err)
	}
	context, err := browser.NewContext(contextOptions(o))
	must(t, err)
	return context
}

func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.list").Value.String() != "" {
		os.Exit(m.Run()) // only names are wanted: start nothing
	}
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func runAll(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "bookhook-e2e-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if binary, err = build(dir); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, stopBrowser()) }()
	kept.folder = filepath.Join(dir, "html")
	code = m.Run()
	return code, kept.validate()
}

// build makes the binary as it is shipped, but for the optimised size: stack traces should be readable.
func build(dir string) (string, error) {
	path := filepath.Join(dir, "bookhook")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-pgo=off", "-o", path, ".")
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
}

// startBrowser starts what setup.sh has put in place. It downloads nothing.
func startBrowser() (playwright.Browser, error) {
	name, err := os.ReadFile(".cache/browser")
	if err != nil {
		return nil, fmt.Errorf("the browser is not set up: %w", err)
	}
	axe, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	if err != nil {
		return nil, fmt.Errorf("axe-core is not set up: %w", err)
	}
	axeSource = string(axe)
	pw, err := startDriver()
	if err != nil {
		return nil, err
	}
	// Chromium's sandbox does not work for root, which is what containers and CI run as.
	launch := playwright.BrowserTypeLaunchOptions{ChromiumSandbox: new(os.Getuid() != 0)}
	if path := strings.TrimSpace(string(name)); path != "bundled" {
		launch.ExecutablePath = &path
	}
	browser, err := pw.Chromium.Launch(launch)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), pw.Stop())
	}
	stopBrowser = func() error { return errors.Join(browser.Close(), pw.Stop()) }
	return browser, nil
}

// stopBrowser stops the browser if there is one.
var stopBrowser = func() error { return nil }

func startDriver() (*playwright.Playwright, error) {
	driver, err := filepath.Abs(".cache/driver")
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(driver, "package", "cli.js")); err != nil {
		return nil, fmt.Errorf("the Playwright driver is not set up: %w", err) // else Install would try to download it
	}
	options := &playwright.RunOptions{DriverDirectory: driver, SkipInstallBrowsers: true}
	// Install finds the driver in its place and only applies a patch that Run alone leaves out.
	if err := playwright.Install(options); err != nil {
		return nil, err
	}
	return playwright.Run(options)
}
