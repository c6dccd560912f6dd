package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// healthTime is how long a healthy Bookhook may take to say so.
const healthTime = 4 * time.Second

// healthcheck asks a running Bookhook whether it is well.
type healthcheck struct{ url string }

func (h healthcheck) run(ctx context.Context, std streams) error {
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url, nil)
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
		return fmt.Errorf("%s answers %s", h.url, response.Status)
	}
	fmt.Fprintln(std.out, "ok")
	return nil
}

// showVersion prints the version.
type showVersion struct{}

func (showVersion) run(_ context.Context, std streams) error {
	fmt.Fprintln(std.out, "bookhook", version)
	return nil
}

// showHelp prints the help that was asked for.
type showHelp struct{ text string }

func (h showHelp) run(_ context.Context, std streams) error {
	fmt.Fprint(std.out, h.text)
	return nil
}
