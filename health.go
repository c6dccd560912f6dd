package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// healthTimeout is how long a healthy Bookhook may take to answer.
const healthTimeout = 4 * time.Second

type healthcheckCommand struct {
	URL healthURL `setting:"" name:"listen" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where the Bookhook to ask listens (${default})."`
}

// Run asks a running Bookhook whether it is healthy.
func (c healthcheckCommand) Run(ctx context.Context, std streams) error {
	if err := askHealth(ctx, string(c.URL)); err != nil {
		return err
	}
	fmt.Fprintln(std.out, "ok")
	return nil
}

// askHealth asks a running Bookhook whether it is healthy, through no proxy.
func askHealth(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(std streams) error {
	_, err := fmt.Fprintln(std.out, versionText())
	return err
}

func versionText() string { return "bookhook " + version }
