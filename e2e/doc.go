// Package e2e drives the real binary with a real browser and a real receiver. It holds tests only.
//
// "make setup" (setup.sh) installs the programs that package.json pins into node_modules, and puts the Playwright
// driver and the name of a Chromium into .cache; "make e2e" does that and runs the tests. A test is made of these
// parts:
//
//	srv := startServer(t, "--allow-private-targets", "all") // the binary on a new database; see server_test.go
//	p := newPage(t, pageOptions{Dark: true})                // a fresh browser context; see browser_test.go
//	p.visit(srv.setupLink())                                // what a person does; see actions_test.go
//	p.fill("Email", "ada@example.com")
//	p.press("Create account")
//	p.sees("Welcome")
//	axe(t, p)                                               // WCAG, in both themes; see axe_test.go
//	in := receiver(t)                                       // records requests, answers as told; see receiver_test.go
//	out := node(t, "oauth.mjs", srv.URL)                    // a client that others wrote, in testdata; see node_test.go
//	srv.kill9()
//	srv.restart()
//
// Nothing here waits for time: the server is ready when it says so, a request has come when the receiver has it, and
// every action on a page waits for what it needs. The limits (patience) are there only so that a broken test ends.
//
// The tests of crashes (crash_*_test.go; "make crash" for long) have everything come in that can, while the process is
// killed or stopped, or its disk is full, failing or locked:
//
//	c := newCrash(t, t.TempDir(), 0) // a shop, three receivers, platforms, questions, replays; choices by a seed
//	c.under(c.op.kill9)              // load, and in the middle of it the end
//	c.op.restart()
//	c.audit(true)                    // what was answered is there, once; the log agrees with what receivers saw
//
// Those of chaos (chaos_*_test.go; "make chaos" for long) have three replicas on a PostgreSQL of their own, behind a load
// balancer, and a table of faults; three accounts have the load, the histories and the audit of the tests of crashes.
//
// A history is what clients and receivers saw, with the times: porcupine looks for an order in which a simple model
// could have answered that.
//
// Package power, below this one, cuts the power instead ("make power" for long).
//
// Every page is watched. A test fails on a console error, an uncaught exception, a violated content security policy,
// or a script, style, image or other part of a page that does not load. When a test fails, it shows the server's log
// and leaves pictures of its pages in screenshots.
package e2e
