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
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, string(c.URL), nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // and no proxy
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", c.URL, response.Status)
	}
	fmt.Fprintln(std.out, "ok")
	return nil
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(std streams) error {
	_, err := fmt.Fprintln(std.out, versionText())
	return err
}

func versionText() string { return "bookhook " + version }
